"""The memory that a training will take, estimated before it starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from unwarp.data.dataset import Dataset
from unwarp.data.limits import available_bytes
from unwarp.data.mapped import bytes_in_memory
from unwarp.data.prepared import NUMBERS_PER_CHUNK
from unwarp.data.samples import MAX_BYTES_OF_VIEW, Samples
from unwarp.data.schema import Schema
from unwarp.data.source import Source
from unwarp.errors import ConfigError
from unwarp.planning.plan import Plan
from unwarp.training.memory import BYTES_PER_NUMBER, rough_step_bytes, step_bytes

BYTES_OF_MEGABYTE = 10**6

COPIES_OF_CHUNK = 10
"""Numbers that are in memory for each one that is aligned: places, results, and their units."""

COPIES_OF_VIEW = 3
"""Copies of the samples that stand for all others while clusters are formed."""

SHARE_FOR_TRIAL = 0.25
"""Share of the available memory above which a rough estimate is replaced by a trial."""

REMEDIES = {
    "samples": "give a memory map instead of a list or a table: X=numpy.load('X.npy', "
    "mmap_mode='r'); or smaller images: sizes='HxW'",
    "copies": "give fewer samples, or smaller ones: working_size=32 for images, 512 for series",
    "training": "learn smaller copies: working_size=48 for images, 512 for series; or fewer at "
    "once: batch_size=8",
    "results": "give smaller images: sizes='HxW'",
}
"""Options that make each part of the memory smaller."""


@dataclass(frozen=True)
class MemoryEstimate:
    """The memory that a training will take, by its parts, in bytes.

    Attributes:
        samples: The user's samples, as far as they are in memory; memory maps are not.
        copies: Scaled copies of them that training keeps.
        training: The model, its optimiser, and all that a step keeps for a batch.
        results: Samples at the user's size that are aligned at once, and their results.
        noun: Word for several samples.

    >>> print(MemoryEstimate(120 * 10**6, 0, 190 * 10**6, 1, "images"))
    memory: about 310 MB (images as they are 120 MB, training 190 MB)
    """

    samples: int
    copies: int
    training: int
    results: int
    noun: str = "samples"

    @classmethod
    def of(cls, source: Source, schema: Schema, data: Samples, training: int) -> Self:
        """The estimate for a training.

        Args:
            source: The user's samples.
            schema: Their domain and shape.
            data: Scaled training samples.
            training: Memory of a training step in bytes.
        """
        is_kept = isinstance(data, Dataset) and source.dataset is None
        n_bytes = BYTES_PER_NUMBER * len(data) * math.prod(data.shape)
        view = 0 if is_kept else min(n_bytes, COPIES_OF_VIEW * MAX_BYTES_OF_VIEW)
        n_features = max(schema.n_features, min(len(data) * schema.n_features, NUMBERS_PER_CHUNK))
        return cls(
            bytes_in_memory(source.x),
            n_bytes if is_kept else 0,
            max(training, view),
            COPIES_OF_CHUNK * BYTES_PER_NUMBER * n_features,
            schema.domain.plural,
        )

    @property
    def total(self) -> int:
        """All of the memory; results are made after the training."""
        return self.samples + self.copies + max(self.training, self.results)

    def __str__(self) -> str:
        words = {
            f"{self.noun} as they are": self.samples,
            "scaled": self.copies,
            "training": self.training,
        }
        parts = [
            f"{name} {_megabytes(size)}"
            for name, size in words.items()
            if size >= BYTES_OF_MEGABYTE
        ]
        return f"memory: about {_megabytes(self.total)} ({', '.join(parts)})"

    def check(self, available: int) -> None:
        """Refuse a training that does not fit in the memory.

        Args:
            available: Memory that the process can still use, without the samples, in bytes.

        Raises:
            ConfigError: The training needs more. The message names its largest part, and options
                that make it smaller.
        """
        needed = self.total - self.samples
        if needed <= available:
            return
        sizes = {name: getattr(self, name) for name in ("copies", "training", "results")}
        part = max(sizes, key=sizes.__getitem__)
        raise ConfigError(
            f"{self}: {_megabytes(needed)} more than the {self.noun} are needed, most of it for "
            f"{part} ({_megabytes(sizes[part])}), and {_megabytes(available)} are available; "
            f"{REMEDIES['samples'] if self.samples > needed else REMEDIES[part]}"
        )


def check_memory(
    source: Source,
    schema: Schema,
    data: Samples,
    plan: Plan,
    notify: Callable[[str], None] | None = None,
) -> None:
    """Refuse a training that does not fit in the memory.

    Args:
        source: The user's samples.
        schema: Their domain and shape.
        data: Scaled training samples.
        plan: Recipe and batch size.
        notify: Function that shows the estimate to people; None if nobody looks. Then it is exact
            only if the memory might not suffice.

    Raises:
        ConfigError: The training needs more than is available.
    """
    available = available_bytes()
    rough = MemoryEstimate.of(source, schema, data, rough_step_bytes(data.shape, plan.batch_size))
    if notify is None and rough.total < SHARE_FOR_TRIAL * available:
        return
    training = step_bytes(plan.recipe.joint(), data, plan.batch_size)
    estimate = MemoryEstimate.of(source, schema, data, training)
    if notify is not None:
        notify(str(estimate))
    estimate.check(available)


def _megabytes(n_bytes: float) -> str:
    return f"{n_bytes / BYTES_OF_MEGABYTE:,.0f} MB"

"""Results of a model for large collections, part by part.

A part depends only on the model, the samples and its number. So parts can be computed in any order
and by several processes, and again after an interruption.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from unwarp.checksums import checksum
from unwarp.core import Array
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.making import companions_of, encode_array, identity_of, shard_name
from unwarp.data.part_folder import (
    MANIFEST,
    PartFolder,
    announce,
    is_part_folder,
    opened_parts,
)
from unwarp.data.prepared import NUMBERS_PER_CHUNK, SAMPLES_PER_CHUNK
from unwarp.data.recordings import RegularSamples
from unwarp.data.schema import Prepared
from unwarp.data.shards import CONTENT
from unwarp.data.source import Source
from unwarp.disk.files import Write
from unwarp.disk.paths import files_of, is_pattern, root_of, split_member
from unwarp.errors import DataError
from unwarp.estimators.unwarper import Unwarper

MAX_BYTES_OF_PART, MAX_ROWS_OF_PART = 64 << 20, 50_000
"""Greatest size of the samples of a part, in bytes as float32, and greatest number of them."""


@dataclass
class PartResults(ABC):
    """Results of a model for a collection, divided in parts.

    Attributes:
        model: A trained estimator.
        source: The samples, as `model.open` returns them.
        facts: Further facts that decide the results, as JSON values, such as checksums of the model
            and of the samples (`identity_of_model`, `identity_of_source`).
        rows_per_part: Number of samples in a part; None for at most 64 MiB of samples.
    """

    model: Unwarper
    source: Source
    facts: Mapping[str, Any] = field(default_factory=dict)
    rows_per_part: int | None = None

    @cached_property
    def rows(self) -> int:
        """Number of samples in a part.

        A part has whole chunks, so that results have the bits of one call.
        """
        if self.rows_per_part is not None:
            return self.rows_per_part
        size = max(1, np.size(self.source.x[0]))
        chunk = max(1, min(SAMPLES_PER_CHUNK, NUMBERS_PER_CHUNK // size))
        rows = min(MAX_ROWS_OF_PART, MAX_BYTES_OF_PART // (4 * size))
        return max(chunk, rows // chunk * chunk)

    @property
    def names(self) -> list[str]:
        """Names of the files of all parts, in their order."""
        return [self.name(k) for k in range(-(-len(self.source) // self.rows))]

    @property
    def plan(self) -> dict[str, Any]:
        """Facts that decide the content of each part, as JSON values."""
        return {"n_samples": len(self.source), "rows_per_part": self.rows, **self.facts}

    def rows_of(self, number: int) -> Array:
        """Indices of the samples of a part.

        Args:
            number: Number of the part, from 0.
        """
        return np.arange(number * self.rows, min((number + 1) * self.rows, len(self.source)))

    def prepare(self, rows: Array) -> Prepared:
        """Some of the samples, prepared for the model; no others are read.

        Args:
            rows: Indices of the samples (M,).
        """
        return self.model.prepare_samples(self.source.subset(rows))

    @abstractmethod
    def name(self, number: int) -> str:
        """Name of the file of a part.

        Args:
            number: Number of the part, from 0.
        """

    @abstractmethod
    def encode(self, number: int) -> bytes | Write:
        """The content of the file of a part.

        Args:
            number: Number of the part, from 0.

        Returns:
            Its bytes, or a function that writes them.
        """

    @abstractmethod
    def finish(self, parts: PartFolder) -> None:
        """Write the manifest, after all parts.

        Args:
            parts: The folder with all parts.
        """


@dataclass
class AlignedParts(PartResults):
    """Aligned samples as a folder of shards, which all doors open again.

    Attributes:
        other: Data that belong to the samples and are aligned instead; None for the samples.
        to: Sample to which all are aligned: its row among all samples, or its values; None for the
            template.
        counts: Whether the series count events.
    """

    other: Source | None = None
    to: Any = None
    counts: bool = False

    @property
    def plan(self) -> dict[str, Any]:
        """Facts that decide the content of each part, as JSON values.

        Raises:
            DataError: There is no sample `to`.
        """
        self._check_row()
        return {"content": CONTENT, **super().plan}

    def _check_row(self) -> None:
        """Refuse a number `to` of a sample that does not exist."""
        row, n = self.to, len(self.source)
        if isinstance(row, int | np.integer) and not 0 <= row < n:
            raise DataError(
                f"to={row} is no row of {self.source.name}, which has {n:,} samples; give one from "
                f"0 to {n - 1}"
            )

    def name(self, number: int) -> str:
        """Name of a shard.

        Args:
            number: Number of the part, from 0.
        """
        return shard_name(number)

    def encode(self, number: int) -> Write:
        """A function that writes a shard.

        Args:
            number: Number of the part, from 0.

        Raises:
            DataError: The samples do not fit the model, or there is no sample `to`; or `other`
                holds integers, and series have gaps.
        """
        self._check_row()
        rows, options = self.rows_of(number), {"to": self.to, "counts": self.counts}
        n_goals = int(isinstance(self.to, int | np.integer))
        if n_goals:  # the sample to align to is in every part, as its first one
            rows, options["to"] = np.append(self.to, rows), 0
        if self.other is not None:
            part = self.other.subset(rows)
            options |= {"other": part.x, "other_times": part.times}
        samples = self.prepare(rows)
        if self._averages(samples, options):
            raise DataError(
                "other holds integers, and some series of X have gaps, so integers would be "
                "averaged in some parts only; give other as floating-point numbers, or "
                "align in one call of Unwarper.align"
            )
        aligned = self.model.align(samples, **options)[n_goals:]
        is_regular = isinstance(samples.origin, RegularSamples) or self.other is not None
        # whole numbers become floating wherever a part has gaps, so in all parts
        dtype = None if is_regular else samples.origin.precise_dtype
        return encode_array(np.asarray(aligned, dtype))

    def _averages(self, samples: Prepared, options: Mapping[str, Any]) -> bool:
        """Whether integers of `other` are interpolated in this part, and not in all."""
        sources = (self.source, self.other)
        is_timed = any(source is None or source.times is not None for source in sources)
        if is_timed or self.counts or self.model.schema_.clock.any_length:
            return False
        kinds = {np.asarray(row).dtype.kind for row in options["other"]}
        return isinstance(samples.origin, IrregularSeries) and kinds <= {"i", "u"}

    def finish(self, parts: PartFolder) -> None:
        """Write names, labels and times of the samples, and the manifest.

        Args:
            parts: The folder with all shards.
        """
        first = np.load(parts.folder / self.name(0), mmap_mode="r")
        form = self.source if self.other is None else self.other
        for name, values in companions_of(self.source, self._times(first.shape[-1])).items():
            parts.write(f"{name}.npy", len(values), encode_array(values))
        parts.finish(
            self.names,
            shape=list(first.shape[1:]),
            dtype=first.dtype.str,
            domain=self.model.schema_.domain.name,
            layout=form.layout,
            image_shape=None if form.image_shape is None else list(form.image_shape),
            description=f"aligned: {form.description}",
        )

    def _times(self, n_steps: int) -> Array | None:
        """Times of the steps of aligned series (T,), if the samples have time stamps."""
        sources = (self.source, self.other)
        if all(source is None or source.times is None for source in sources):
            return None
        first, *_, last = self.model.times_
        return np.linspace(first, last, n_steps)


@dataclass
class EmbeddingParts(PartResults):
    """Codes, clusters and deformations of samples as parts of a table.

    Parts are Parquet files if pyarrow is installed, and else `.npy` files with a field for each
    column.
    """

    @cached_property
    def suffix(self) -> str:
        """Suffix of the files of the parts."""
        return ".parquet" if find_spec("pyarrow") else ".npy"

    @property
    def plan(self) -> dict[str, Any]:
        """Facts that decide the content of each part, as JSON values."""
        return {"content": "table", "format": self.suffix, **super().plan}

    def name(self, number: int) -> str:
        """Name of a part of the table.

        Args:
            number: Number of the part, from 0.
        """
        return f"part-{number:05d}{self.suffix}"

    def encode(self, number: int) -> bytes | Write:
        """The content of a part of the table.

        Args:
            number: Number of the part, from 0.
        """
        rows, names = self.rows_of(number), self.source.row_names
        table = embedding_table(self.model, self.prepare(rows), names[rows])
        if self.suffix == ".npy":
            types = {"sample": names.dtype.str}
            return encode_array(np.asarray(table.to_records(index=False, column_dtypes=types)))
        file = io.BytesIO()
        table.to_parquet(file, engine="pyarrow", index=False)
        return file.getvalue()

    def finish(self, parts: PartFolder) -> None:
        """Write the manifest, with the unit of each column of the deformations.

        Args:
            parts: The folder with all parts of the table.
        """
        table = self.model.transform_params(self.prepare(np.arange(1)))
        parts.finish(self.names, units=table.attrs["units"])


def embedding_table(model: Unwarper, samples: Prepared, names: Array) -> pd.DataFrame:
    """Codes, clusters and deformations of samples.

    Args:
        model: A trained estimator.
        samples: N samples, prepared by `model`.
        names: Names or numbers of the samples (N,).

    Returns:
        A table with the columns `sample`, `content_0`, ..., `cluster`, and those of
        `transform_params`.
    """
    codes = pd.DataFrame(model.transform(samples), columns=model.get_feature_names_out())
    codes.insert(0, "sample", names)
    codes["cluster"] = model.predict(samples)
    return codes.join(model.transform_params(samples).reset_index(drop=True))


def write_results(
    results: PartResults,
    folder: str | Path,
    inputs: Iterable[str | Path] = (),
    on_message: Callable[[str], None] = lambda line: None,
) -> int:
    """Compute and write all parts that are not complete, and the manifest.

    Args:
        results: The results.
        folder: A new or empty folder, or one of an interrupted call for the same results.
        inputs: Files and folders that are read, and stay as they are.
        on_message: Function that shows a line to people.

    Returns:
        Number of samples.

    Raises:
        ConfigError: The folder holds other files or other results, or cannot be written.
        DataError: The samples do not fit the model, or a part of a complete folder is missing.
        CheckpointError: Another process writes to the folder.
    """
    with opened_parts(folder, results.plan, inputs) as parts:
        if parts.manifest is None:
            for k, name in enumerate(results.names):
                if name not in parts.parts:
                    parts.write(name, len(results.rows_of(k)), results.encode(k))
                announce(k + 1, len(results.names), on_message)
            results.finish(parts)
    return len(results.source)


def facts_of_results(
    folder: Path, source: str, other: str | None = None, **options: Any
) -> dict[str, Any]:
    """Facts that decide results, by which an interrupted call is known again.

    Args:
        folder: Folder of the model.
        source: Paths in lines, or the name of a built-in data set.
        other: Source of other data that are aligned; None for none.
        options: Further options, as JSON values.
    """
    return {
        "model": identity_of_model(folder),
        "source": identity_of_source(source),
        "other": None if other is None else identity_of_source(other),
        "options": {name: options[name] for name in sorted(options)},
    }


def identity_of_model(folder: Path) -> str:
    """A checksum of all files of a saved model.

    Args:
        folder: Folder of the model.
    """
    digests = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            digests.append([path.name, file_digest(file, "sha256").hexdigest()])
    return checksum(digests)


def identity_of_source(source: str) -> str:
    """A checksum by which an interrupted call knows its samples again.

    Args:
        source: Paths, each in a line of its own, or the name of a built-in data set.

    Returns:
        The checksum of the manifests of shards, of the names, sizes and times of change of other
        files, and of the names of arrays in files and of data sets.
    """
    facts: list[Any] = []
    for line in source.splitlines():
        facts.append(split_member(line)[1])
        for path in (Path(path).expanduser() for path in files_of(line)):
            if path.is_dir() and is_part_folder(path):
                facts.append((path / MANIFEST).read_text())
            elif path.is_dir():
                facts.append(identity_of(sorted(p for p in path.rglob("*") if p.is_file()), path))
            elif path.exists():
                root = root_of(line) if is_pattern(line) else path.parent
                facts.append(identity_of([path], root))
            else:
                facts.append(line)
    return checksum(facts)

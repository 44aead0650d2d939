"""Parts of results that workers of Ray compute and write.

A worker loads the model once. It computes a part from its samples, writes it under its final name
and returns its checksum; the program that started the work notes it. A worker that is killed is
replaced, and its part is computed again. Since a part is written completely or not at all, and is
the same each time, no row is lost or doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from unwarp import errors
from unwarp.core import Array
from unwarp.data.formats.files import picture_places
from unwarp.data.formats.picture_rows import lazy_pictures
from unwarp.data.hints import Hints
from unwarp.data.mapped import is_mapped
from unwarp.data.part_folder import (
    Part,
    PartFolder,
    announce,
    opened_parts,
    write_part,
)
from unwarp.data.source import Source
from unwarp.errors import ConfigError, UnwarpError
from unwarp.estimators.part_results import (
    AlignedParts,
    EmbeddingParts,
    PartResults,
    facts_of_results,
)
from unwarp.estimators.unwarper import Unwarper
from unwarp.range_kinds import Whole
from unwarp.ranges import check_value
from unwarp.storage.files import expand

Batch = dict[str, Array]
"""Rows of Ray Data: arrays by the names of their columns."""

KINDS: Mapping[str, type[PartResults]] = {"align": AlignedParts, "embed": EmbeddingParts}
"""Results by the name of the function that writes them."""


def align(
    source: str | Path,
    model: str | Path,
    out: str | Path,
    *,
    to: int | None = None,
    counts: bool = False,
    rows_per_part: int | None = None,
    workers: int | None = None,
    on_message: Callable[[str], None] = lambda line: None,
) -> int:
    """Write aligned samples as a folder of shards, by many workers.

    The folder is the one that `unwarp align` writes. After an interruption the same call goes on.

    Args:
        source: Folder of shards or of images, a Parquet file, or another path that `unwarp align`
            reads; the rows and their names are the same. Each worker decodes the images of its
            parts. A table is read once, and shared by the workers of a computer.
        model: Folder of a saved model or of a run.
        out: New or empty folder, or one of an interrupted call.
        to: Row of the sample to which all are aligned; None for the template.
        counts: Whether the series count events, as for `Unwarper.align`.
        rows_per_part: Number of samples in a shard; None for about 64 MiB of samples.
        workers: Number of workers with one processor each; None for all processors.
        on_message: Function that shows a line to people.

    Returns:
        Number of samples.

    Raises:
        ConfigError: Ray is not installed, `to` is no number of a row, or `out` holds other files.
        DataError: The samples cannot be read, do not fit the model, or have no row `to`.
        CheckpointError: `model` holds no model, or another process writes to `out`.
    """
    check_value("to", to, Whole(0, is_optional=True))
    options = {"to": None if to is None else int(to), "counts": counts}
    return _write("align", source, model, out, options, rows_per_part, workers, on_message)


def embed(
    source: str | Path,
    model: str | Path,
    out: str | Path,
    *,
    rows_per_part: int | None = None,
    workers: int | None = None,
    on_message: Callable[[str], None] = lambda line: None,
) -> int:
    """Write codes, clusters and deformations as a table, by many workers.

    The folder is the one that `unwarp embed` writes. After an interruption the same call goes on.

    Args:
        source: Folder of shards or of images, a Parquet file, or another path, as for `align`.
        model: Folder of a saved model or of a run.
        out: New or empty folder, or one of an interrupted call.
        rows_per_part: Number of samples in a part; None for about 64 MiB of samples.
        workers: Number of workers with one processor each; None for all processors.
        on_message: Function that shows a line to people.

    Returns:
        Number of samples.

    Raises:
        ConfigError: Ray is not installed, or `out` holds other files.
        DataError: The samples cannot be read, or do not fit the model.
        CheckpointError: `model` holds no model, or another process writes to `out`.
    """
    return _write("embed", source, model, out, {}, rows_per_part, workers, on_message)


class PartWorker:
    """A worker that computes and writes parts.

    Ray makes one in each process, and calls it with numbers of parts.

    Args:
        kind: `align` or `embed`.
        model: Folder of the model.
        samples: Folder or file of the samples; or a reference of Ray to the opened samples.
        out: Folder of the parts.
        options: Fields of the results, such as `to`.
        rows: Number of samples in a part.
    """

    def __init__(
        self, kind: str, model: str, samples: Any, out: str, options: dict[str, Any], rows: int
    ) -> None:
        import torch

        torch.set_num_threads(1)
        estimator = Unwarper.load(model).set_params(device="cpu")
        source = estimator.open(samples) if isinstance(samples, str) else _get(samples)
        self.results = KINDS[kind](estimator, source, rows_per_part=rows, **options)
        self.out = Path(out)

    def __call__(self, batch: Batch) -> Batch:
        """Write parts.

        Args:
            batch: Numbers of the parts, as `part` (B,).

        Returns:
            The fields of the records of the parts, each (B,), and as `error` (B,) the kind of the
            error of a part that could not be written, and its message; empty for none.
        """
        rows = [self._write(int(k)) for k in batch["part"]]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def _write(self, number: int) -> dict[str, Any]:
        """Write a part, and return its record and its error; Ray would hide the error."""
        results, name = self.results, self.results.name(number)
        n_rows = len(results.rows_of(number))
        try:
            part, error = write_part(self.out, name, n_rows, results.encode(number)), ""
        except UnwarpError as problem:
            part, error = Part(name, n_rows, 0, ""), f"{type(problem).__name__}: {problem}"
        return {**asdict(part), "error": error}


def _write(
    kind: str,
    source: str | Path,
    model: str | Path,
    out: str | Path,
    options: dict[str, Any],
    rows_per_part: int | None,
    workers: int | None,
    on_message: Callable[[str], None],
) -> int:
    """Write all parts of results, and return the number of samples."""
    _check_ray()
    check_value("rows_per_part", rows_per_part, Whole(1, is_optional=True))
    check_value("workers", workers, Whole(1, is_optional=True))
    folder, out = _model_folder(model), expand(out).absolute()
    estimator = Unwarper.load(folder).set_params(device="cpu")
    path = expand(source).absolute()
    samples = open_samples(estimator, path)
    facts = facts_of_results(folder, str(path), **options)
    results = KINDS[kind](estimator, samples, facts, rows_per_part, **options)
    with opened_parts(out, results.plan, [folder, path]) as parts:
        if parts.manifest is None:
            place = str(path) if is_mapped(samples.x) else samples
            arguments = (kind, str(folder), place, str(out), options, results.rows)
            _compute(parts, results.names, arguments, workers, on_message)
            results.finish(parts)
    return len(results.source)


def _compute(
    parts: PartFolder,
    names: list[str],
    arguments: tuple[Any, ...],
    workers: int | None,
    on_message: Callable[[str], None],
) -> None:
    """Let workers write the parts that are missing, and note each of them."""
    import ray

    missing = [{"part": k} for k, name in enumerate(names) if name not in parts.parts]
    if not missing:
        return
    if not ray.is_initialized():
        ray.init()
    kind, model, samples, *rest = arguments
    samples = samples if isinstance(samples, str) else ray.put(samples)
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    n = min(len(missing), workers or max(1, int(resources.get("CPU", 1))))
    with _quiet_progress():
        dataset = ray.data.from_items(missing, override_num_blocks=len(missing)).map_batches(
            PartWorker,
            fn_constructor_args=(kind, model, samples, *rest),
            batch_size=1,
            concurrency=n,
            num_cpus=1,
        )
        for row in dataset.iter_rows():
            values = {
                name: getattr(value, "item", lambda v=value: v)() for name, value in row.items()
            }
            raise_error(values.pop("error"))
            parts.add(Part(**values))
            announce(len(parts.parts), len(names), on_message)


def raise_error(text: str) -> None:
    """Raise the error that a worker met.

    Args:
        text: Its kind and its message, as `PartWorker` returns them; empty for none.

    Raises:
        UnwarpError: The error.

    >>> raise_error("DataError: X is empty")
    Traceback (most recent call last):
    unwarp.errors.DataError: X is empty
    """
    if text:
        kind, _, message = text.partition(": ")
        raise getattr(errors, kind, UnwarpError)(message)


@contextmanager
def _quiet_progress() -> Iterator[None]:
    """Context without the progress bars of Ray Data."""
    import ray

    context = ray.data.DataContext.get_current()
    setting = context.enable_progress_bars
    context.enable_progress_bars = False
    try:
        yield
    finally:
        context.enable_progress_bars = setting


def open_samples(model: Unwarper, path: Path) -> Source:
    """Samples as `Unwarper.open` returns them; images are not decoded.

    Args:
        model: A trained estimator.
        path: Folder or file of the samples.

    Returns:
        The samples; `x` of images is a `PictureRows`.

    Raises:
        DataError: The samples cannot be read.
    """
    places = picture_places(path)
    if places is None:
        return model.open(path)
    shape = model.schema_.user_shape
    frame = None if model.sizes is None else (shape[-2], shape[-1])
    x, source = lazy_pictures(*places, Hints.of(model, frame))
    return replace(source, x=x, name=path.name)


def _get(reference: Any) -> Source:
    """The samples of a reference, which the workers of a computer share."""
    import ray

    source: Source = ray.get(reference)
    return source


def _model_folder(model: str | Path) -> Path:
    """The folder of a model, which may lie in the folder of a run."""
    folder = expand(model).absolute()
    return folder / "model" if (folder / "model").is_dir() else folder


def _check_ray() -> None:
    """Refuse work without Ray Data."""
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "unwarp.distributed needs the package ray; install it with: pip install 'unwarp[ray]'"
        ) from error

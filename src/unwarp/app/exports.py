"""Results of a model as files: aligned samples, content codes and deformations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from unwarp.app.inspection import NO_ARGUMENTS
from unwarp.app.part_exports import (
    aligned_parts,
    check_unless_parts,
    is_large,
    paired_source,
    sample_to_align_to,
)
from unwarp.app.parts import open_source, source_paths
from unwarp.checksums import checksum
from unwarp.core import Array
from unwarp.data.mapped import MAX_BYTES_IN_MEMORY, join_rows
from unwarp.data.schema import Prepared
from unwarp.data.source import Source
from unwarp.data.writing import check_output, is_folder, output_format, write
from unwarp.disk.files import Write
from unwarp.errors import ConfigError
from unwarp.estimators.part_results import (
    EmbeddingParts,
    embedding_table,
    facts_of_results,
    write_results,
)
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage.files import check_writable, expand, write_file


def write_aligned(
    folder: Path,
    source: str,
    out: str | Path,
    device: str = "auto",
    on_message: Callable[[str], None] = lambda line: None,
    hints: Mapping[str, Any] = NO_ARGUMENTS,
    *,
    other: str | None = None,
    to: str | None = None,
    counts: bool = False,
    rows_per_part: int | None = None,
) -> int:
    """Write aligned samples to a folder or a file.

    A folder gets a file for each file that was read, of the same name, format, type, mode and size.
    An `.npz` file holds the arrays `sample` (N,) with the names or numbers of the samples,
    `aligned` and `template` (N, ...) in the range of the data, and `deformation` (N, K) with the
    names of its columns, `deformation_columns` (K,); for series also the `times` (T,) of the steps.
    Other files hold the aligned samples.

    If the samples are shards or a large memory map, a folder gets aligned shards, which are written
    one after the other; after an interruption the same call goes on.

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set; its held-out part is used.
        out: Folder or file to write; it is checked before any data are read.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people.
        hints: Arguments of `Unwarper` by which the source is read, instead of those of the model.
        other: Data, in the order of the samples, in which the deformations are undone instead, such
            as masks; they are written in their own form. Series may have another rate, or times of
            their own. None for the samples.
        to: Sample to which all are aligned: its name, its number, or a file. None for the template.
        counts: Whether the series count events, so that their sums stay.
        rows_per_part: Number of samples in an aligned shard; None for about 64 MiB of them.

    Returns:
        Number of samples N.

    Raises:
        ConfigError: The file has an unknown suffix, cannot be written, or is one of the inputs; or
            the results are not written in parts, and `rows_per_part` is given.
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model or the format.
    """
    inputs: list[str | Path] = [folder, *source_paths(source)]
    inputs += [] if other is None else source_paths(other)
    check_unless_parts(out, inputs)
    model, samples = _open(folder, source, device, on_message, hints)
    if is_folder(out) and is_large(samples):
        results = aligned_parts(model, samples, other, to, counts)
        goal = results.to if isinstance(results.to, int | None) else checksum(results.to)
        results.facts = facts_of_results(
            expand(folder), source, other, to=goal, counts=counts, **hints
        )
        results.rows_per_part = rows_per_part
        return write_results(results, out, inputs, on_message)
    check_output(out, inputs)
    _check_rows_per_part(rows_per_part)
    prepared = model.prepare_samples(samples)
    goal = None if to is None else sample_to_align_to(to, samples, prepared)
    if other is not None:
        paired = paired_source(model, samples, other, on_message)
        return _write_other(model, prepared, paired, out, {"to": goal, "counts": counts}, inputs)
    move = partial(model.align, to=goal, counts=counts)
    if output_format(out) == ".npz":
        write_file(Path(out), _pack(model, prepared, samples.row_names, move), inputs)
        return len(samples)
    alpha = samples.form.alpha
    if alpha is not None:
        alpha = model.align(prepared, other=alpha[:, None], to=goal)[:, 0]
    times = getattr(model, "times_", None)
    write(out, in_chunks(move, prepared), samples, alpha=alpha, times=times, inputs=inputs)
    return len(samples)


def _write_other(
    model: Unwarper,
    samples: Prepared,
    source: Source,
    out: str | Path,
    options: dict[str, Any],
    inputs: list[str | Path],
) -> int:
    """Write data in which the deformations of samples are undone, and return their number.

    Args:
        model: A trained estimator.
        samples: N samples, prepared by `model`.
        source: N things of the same frames, in the order of the samples.
        out: Folder or file to write.
        options: The arguments `to` and `counts` of `align`.
        inputs: Files and folders that stay as they are.
    """
    alpha = source.form.alpha
    if alpha is not None:
        alpha = model.align(samples, other=alpha[:, None], to=options["to"])[:, 0]
    aligned = model.align(samples, other=source.x, other_times=source.times, **options)
    times = None
    if model.schema_.domain.has_times:
        n_steps = np.shape(aligned[0])[-1]
        times = np.linspace(model.times_[0], model.times_[-1], n_steps)
    write(out, aligned, source, alpha=alpha, times=times, inputs=inputs)
    return len(source)


def _open(
    folder: Path,
    source: str,
    device: str,
    on_message: Callable[[str], None],
    hints: Mapping[str, Any],
) -> tuple[Unwarper, Source]:
    """The model of a folder, and the samples of a source, which are described to people."""
    model = Unwarper.load(folder).set_params(device=device, **hints)
    samples = open_source(source, estimator=model)
    model.prepare_samples(samples.subset(np.arange(1)))  # refuses samples of another kind
    on_message(f"{samples.name}: {samples.description or f'{len(samples):,} samples'}")
    return model, samples


def write_embedding(
    folder: Path,
    source: str,
    out: str | Path,
    device: str = "auto",
    on_message: Callable[[str], None] = lambda line: None,
    hints: Mapping[str, Any] = NO_ARGUMENTS,
    rows_per_part: int | None = None,
) -> int:
    """Write content codes, clusters and deformations as a table.

    The table has one row per sample, with its name or number, its content code (`content_0`,
    `content_1`, ...), its cluster, and its deformation in summary columns (degrees, pixels,
    factors, seconds).

    A folder gets the table in parts, which are written one after the other: Parquet files if
    pyarrow is installed, else `.npy` files. After an interruption the same call goes on.

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set; its held-out part is used.
        out: File `.csv`, or folder, to write; it is checked before any data are read.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people.
        hints: Arguments of `Unwarper` by which the source is read, instead of those of the model.
        rows_per_part: Number of samples in a part; None for about 64 MiB of samples.

    Returns:
        Number of samples N.

    Raises:
        ConfigError: The file has another suffix, cannot be written, or is one of the inputs; or it
            is no folder, and `rows_per_part` is given.
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model.
    """
    inputs: list[str | Path] = [folder, *source_paths(source)]
    if is_folder(out):
        check_unless_parts(out, inputs)
        model, samples = _open(folder, source, device, on_message, hints)
        facts = facts_of_results(expand(folder), source, **hints)
        results = EmbeddingParts(model, samples, facts, rows_per_part)
        return write_results(results, out, inputs, on_message)
    _check_table(Path(out), inputs, ", or a folder")
    _check_rows_per_part(rows_per_part)
    model, samples = _open(folder, source, device, on_message, hints)
    table = embedding_table(model, model.prepare_samples(samples), samples.row_names)
    write_file(Path(out), _as_csv(table), inputs)
    return len(samples)


def write_modes(
    folder: Path,
    source: str,
    out: str | Path,
    device: str = "auto",
    on_message: Callable[[str], None] = lambda line: None,
    hints: Mapping[str, Any] = NO_ARGUMENTS,
    rows_per_part: int | None = None,
) -> int:
    """Write the poses that explain each sample as a `.csv` table.

    The table has a row for each pose, the most probable first: the name or number of its sample,
    its deformation in summary columns, and its `weight`.

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set; its held-out part is used.
        out: File to write; it is checked before any data are read.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people.
        hints: Arguments of `Unwarper` by which the source is read, instead of those of the model.
        rows_per_part: None; poses are not written in parts.

    Returns:
        Number of samples N.

    Raises:
        ConfigError: The file has another suffix, cannot be written, or is one of the inputs;
            `rows_per_part` is given; or an earlier version saved the model.
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model.
    """
    inputs: list[str | Path] = [folder, *source_paths(source)]
    _check_table(Path(out), inputs)
    _check_rows_per_part(rows_per_part)
    model, samples = _open(folder, source, device, on_message, hints)
    tables = model.pose_modes(samples)
    table = pd.concat(tables, ignore_index=True)
    names = np.repeat(samples.row_names, [len(modes) for modes in tables])
    table.insert(0, "sample", names)
    write_file(Path(out), _as_csv(table), inputs)
    return len(samples)


def _check_table(out: Path, inputs: list[str | Path], other: str = "") -> None:
    """Refuse a file that cannot be written, is an input, or is no `.csv` file.

    Args:
        out: The file.
        inputs: Files and folders that stay as they are.
        other: What else would do, in words.
    """
    check_writable(out, inputs)
    if out.suffix.lower() != ".csv":
        raise ConfigError(f"out={out} must end in .csv; give such a name{other}")


def _check_rows_per_part(rows_per_part: int | None) -> None:
    """Refuse a size of parts for results that are not written in parts."""
    if rows_per_part is not None:
        raise ConfigError(
            f"rows_per_part={rows_per_part} is for a folder that is written in parts: a table of "
            "`embed`, or aligned samples of shards or of more than 1 GiB; leave it out"
        )


def write_tables(model: Unwarper, samples: Source, folder: Path) -> None:
    """Write `aligned.npz`, `deformations.csv` and `embedding.csv` of samples.

    Both tables have one row per sample. The first column is `sample`, the name or number; the
    second is `label` if the samples have labels.

    Args:
        model: A trained estimator.
        samples: The samples.
        folder: The run folder.
    """
    prepared, head = model.prepare_samples(samples), {"sample": samples.row_names}
    head |= {} if samples.labels is None else {"label": samples.labels}
    for name, table in _tables(model, prepared, head):
        write_file(folder / f"{name}.csv", _as_csv(table))
    content = _pack(model, prepared, head["sample"], model.align)
    write_file(folder / "aligned.npz", content)


def _tables(
    model: Unwarper, samples: Prepared, head: dict[str, Array]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables of samples: `deformations`, and `embedding` with codes and clusters.

    Args:
        model: A trained estimator.
        samples: N samples, prepared by `model`.
        head: The first columns of both tables (N,), by name.

    Yields:
        Name and table, one after the other, with one row per sample.
    """
    yield "deformations", pd.DataFrame(head).join(model.transform_params(samples))
    codes = pd.DataFrame(model.transform(samples), columns=model.get_feature_names_out())
    codes["cluster"] = model.predict(samples)
    yield "embedding", pd.DataFrame(head).join(codes)


def _pack(
    model: Unwarper, samples: Prepared, names: Array, move: Callable[[Prepared], Array]
) -> Write:
    """A function that writes aligned samples, templates and deformations as `.npz`.

    Args:
        model: A trained estimator.
        samples: N samples, prepared by `model`.
        names: Names or numbers of the samples (N,).
        move: Function from samples to aligned samples.
    """
    table = model.transform_params(samples)
    arrays = {
        "sample": names,
        "aligned": in_chunks(move, samples),
        "template": in_chunks(model.template, samples),
        "deformation": table.to_numpy(),
        "deformation_columns": np.array(list(table)),
    }
    if model.schema_.domain.has_times:
        arrays["times"] = model.times_
    return lambda file: np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def in_chunks(method: Callable[[Prepared], Array], samples: Prepared) -> Array:
    """Results of a method for samples; large ones lie in a file.

    Args:
        method: A method of an estimator, such as `align`.
        samples: N samples.

    Returns:
        The results (N, ...), or a list of N images of several sizes.
    """
    if samples.samples.nbytes <= MAX_BYTES_IN_MEMORY or hasattr(samples.origin, "values"):
        return method(samples)
    first, *rest = samples.chunks()
    results = method(samples.subset(first))
    if isinstance(results, list):
        return method(samples)
    return join_rows(chain([results], (method(samples.subset(rows)) for rows in rest)))


def _as_csv(table: pd.DataFrame) -> Write:
    """A function that writes a table to a file, row by row."""
    return lambda file: table.to_csv(
        file, mode="wb", encoding="utf-8", index=False, float_format="%.6g"
    )

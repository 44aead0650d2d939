"""Results of a model as files: aligned samples, content codes and deformations."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from unwarp.app.parts import open_source, sample_names, source_paths
from unwarp.core import Array
from unwarp.data.schema import Prepared
from unwarp.data.source import Source
from unwarp.data.writing import check_output, output_format, write
from unwarp.errors import ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage import check_writable, write_file


def write_aligned(
    folder: Path,
    source: str,
    out: str | Path,
    device: str = "auto",
    on_message: Callable[[str], None] = lambda line: None,
) -> int:
    """Write aligned samples to a folder or a file.

    A folder gets a file for each file that was read, of the same name, format, type, mode and size.
    An `.npz` file holds the arrays `sample` (N,) with the names or numbers of the samples,
    `aligned` and `template` (N, ...) in the range of the data, and `deformation` (N, K) with the
    names of its columns, `deformation_columns` (K,); for series also the `times` (T,) of the steps.
    Other files hold the aligned samples.

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set; its held-out part is used.
        out: Folder or file to write; it is checked before any data are read.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people.

    Returns:
        Number of samples N.

    Raises:
        ConfigError: The file has an unknown suffix, cannot be written, or is one of the inputs.
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model or the format.
    """
    inputs: list[str | Path] = [folder, *source_paths(source)]
    check_output(out, inputs)
    model, samples, prepared = _open(folder, source, device, on_message)
    if output_format(out) == ".npz":
        write_file(Path(out), _pack(model, prepared, sample_names(samples)), inputs)
        return len(samples)
    alpha = samples.form.alpha
    if alpha is not None:
        alpha = model.align(prepared, other=alpha[:, None])[:, 0]
    times = getattr(model, "times_", None)
    write(out, model.align(prepared), samples, alpha=alpha, times=times, inputs=inputs)
    return len(samples)


def _open(
    folder: Path, source: str, device: str, on_message: Callable[[str], None]
) -> tuple[Unwarper, Source, Prepared]:
    """The model of a folder, and the samples of a source, which are described to people."""
    model = Unwarper.load(folder).set_params(device=device)
    samples = open_source(source, estimator=model)
    prepared = model.prepare_samples(samples)
    on_message(f"{samples.name}: {samples.description or f'{len(samples):,} samples'}")
    return model, samples, prepared


def write_embedding(
    folder: Path,
    source: str,
    out: Path,
    device: str = "auto",
    on_message: Callable[[str], None] = lambda line: None,
) -> int:
    """Write content codes, clusters and deformations as a `.csv` table.

    The table has one row per sample, with its name or number, its content code (`content_0`,
    `content_1`, ...), its cluster, and its deformation in summary columns (degrees, pixels,
    factors, seconds).

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set; its held-out part is used.
        out: File to write; it is checked before any data are read.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people.

    Returns:
        Number of samples N.

    Raises:
        ConfigError: The file has another suffix, cannot be written, or is one of the inputs.
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model.
    """
    inputs: list[str | Path] = [folder, *source_paths(source)]
    check_writable(out, inputs)
    if out.suffix.lower() != ".csv":
        raise ConfigError(f"out={out} must end in .csv; give such a name")
    model, samples, prepared = _open(folder, source, device, on_message)
    tables = _tables(model, prepared, {"sample": sample_names(samples)})
    joined = tables["embedding"].join(tables["deformations"].drop(columns="sample"))
    write_file(out, joined.to_csv(index=False, float_format="%.6g"), inputs)
    return len(samples)


def write_tables(model: Unwarper, samples: Source, folder: Path) -> None:
    """Write `aligned.npz`, `deformations.csv` and `embedding.csv` of samples.

    Both tables have one row per sample. The first column is `sample`, the name or number; the
    second is `label` if the samples have labels.

    Args:
        model: A trained estimator.
        samples: The samples.
        folder: The run folder.
    """
    prepared, head = model.prepare_samples(samples), {"sample": sample_names(samples)}
    head |= {} if samples.labels is None else {"label": samples.labels}
    for name, table in _tables(model, prepared, head).items():
        write_file(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
    write_file(folder / "aligned.npz", _pack(model, prepared, head["sample"]))


def _tables(model: Unwarper, samples: Prepared, head: dict[str, Array]) -> dict[str, pd.DataFrame]:
    """Tables of samples: `deformations`, and `embedding` with content codes and clusters.

    Args:
        model: A trained estimator.
        samples: N samples, prepared by `model`.
        head: The first columns of both tables (N,), by name.

    Returns:
        Both tables by name, with one row per sample.
    """
    codes = pd.DataFrame(model.transform(samples), columns=model.get_feature_names_out())
    tables = {
        "deformations": model.transform_params(samples),
        "embedding": codes.assign(cluster=model.predict(samples)),
    }
    return {name: pd.DataFrame(head).join(table) for name, table in tables.items()}


def _pack(model: Unwarper, samples: Prepared, names: Array) -> bytes:
    """Aligned samples, templates and deformations as the bytes of an `.npz` file.

    Args:
        model: A trained estimator.
        samples: N samples, prepared by `model`.
        names: Names or numbers of the samples (N,).
    """
    out = io.BytesIO()
    table = model.transform_params(samples)
    times = getattr(model, "times_", None)
    np.savez_compressed(
        out,
        sample=names,
        aligned=model.align(samples),
        template=model.template(samples),
        deformation=table.to_numpy(),
        deformation_columns=np.array(list(table)),
        **({} if times is None else {"times": times}),
    )
    return out.getvalue()

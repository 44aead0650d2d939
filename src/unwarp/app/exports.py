"""Results of a model as files: aligned samples, content codes and deformations."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from unwarp.app.parts import open_source, sample_names
from unwarp.core import Array
from unwarp.data.schema import Prepared
from unwarp.data.source import Source
from unwarp.errors import ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage import check_writable, write_file


def write_aligned(folder: Path, source: str, out: Path, device: str = "auto") -> int:
    """Write aligned samples, templates and deformations as an `.npz` file.

    The file holds the arrays `aligned` and `template` (N, ...) in the range of the data, `sample`
    (N,) with the names or numbers of the samples, and `deformation` (N, K) with the names of its
    columns, `deformation_columns` (K,).

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set; its held-out part is used.
        out: File to write; it is checked before any data are read.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        Number of samples N.

    Raises:
        ConfigError: The file has another suffix, cannot be written, or is one of the inputs.
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model.
    """
    _check_out(out, ".npz", (folder, source))
    samples, model = open_source(source), Unwarper.load(folder).set_params(device=device)
    content = _pack(model, model.prepare_samples(samples), sample_names(samples))
    write_file(out, content, inputs=(folder, source))
    return len(samples)


def _check_out(out: Path, suffix: str, inputs: tuple[str | Path, ...]) -> None:
    """Refuse a file of another suffix, and one that cannot be written or is an input."""
    check_writable(out, inputs=inputs)
    if out.suffix.lower() != suffix:
        raise ConfigError(f"out={out} must end in {suffix}; give such a name")


def write_embedding(folder: Path, source: str, out: Path, device: str = "auto") -> int:
    """Write content codes, clusters and deformations as a `.csv` table.

    The table has one row per sample, with its name or number, its content code (`content_0`,
    `content_1`, ...), its cluster, and its deformation in summary columns (degrees, pixels,
    factors, seconds).

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set; its held-out part is used.
        out: File to write; it is checked before any data are read.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        Number of samples N.

    Raises:
        ConfigError: The file has another suffix, cannot be written, or is one of the inputs.
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model.
    """
    _check_out(out, ".csv", (folder, source))
    samples, model = open_source(source), Unwarper.load(folder).set_params(device=device)
    tables = _tables(model, model.prepare_samples(samples), {"sample": sample_names(samples)})
    joined = tables["embedding"].join(tables["deformations"].drop(columns="sample"))
    content = joined.to_csv(index=False, float_format="%.6g")
    write_file(out, content, inputs=(folder, source))
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
    np.savez_compressed(
        out,
        aligned=model.align(samples),
        template=model.template(samples),
        sample=names,
        deformation=table.to_numpy(),
        deformation_columns=np.array(list(table)),
    )
    return out.getvalue()

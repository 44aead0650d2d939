"""What a model says of samples, as files: aligned samples, content codes and deformations; whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from unwarp import datasets
from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.source import Source
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage import check_writable, write_file


def samples_of(source: str) -> tuple[Dataset | Source, Array, Array | None]:
    """Samples, their names and their labels, of a file, a folder, or a built-in data set's held-out part."""
    if source in datasets.names():
        data = datasets.load(source, "test")
        return data, np.arange(len(data)), data.labels
    given = read(source)
    return given, np.asarray(given.names) if given.names else np.arange(len(given.x)), given.labels


def write_aligned(folder: Path, source: str, out: Path, device: str = "auto") -> int:
    """Aligned samples and templates of `source` by the model in `folder`, into an `.npz`; gives their number."""
    check_writable(out)
    samples, names, _ = samples_of(source)
    write_file(out, _packed(Unwarper.load(folder).set_params(device=device), samples, names))
    return len(names)


def write_embedding(folder: Path, source: str, out: Path, device: str = "auto") -> int:
    """Codes, clusters and deformations of `source` by the model in `folder`, into a `.csv`; gives their number."""
    check_writable(out)
    samples, names, _ = samples_of(source)
    tables = _tables(Unwarper.load(folder).set_params(device=device), samples, {"sample": names})
    joined = tables["embedding"].join(tables["deformations"].drop(columns="sample"))
    write_file(out, joined.to_csv(index=False, float_format="%.6g"))
    return len(names)


def write_tables(model: Unwarper, shown: Dataset, folder: Path) -> None:
    """`aligned.npz`, `deformations.csv` and `embedding.csv` of the samples `shown`."""
    samples = shown.x.numpy()
    head = {"sample": np.arange(len(samples)) if shown.ids is None else shown.ids}
    head |= {} if shown.labels is None else {"label": shown.labels}
    for name, table in _tables(model, samples, head).items():
        write_file(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
    write_file(folder / "aligned.npz", _packed(model, samples, head["sample"]))


def _tables(model: Unwarper, samples: Any, head: dict[str, Array]) -> dict[str, pd.DataFrame]:
    """Deformations in human units, and content codes with clusters."""
    codes = pd.DataFrame(model.transform(samples), columns=model.get_feature_names_out())
    tables = {
        "deformations": model.transform_params(samples),
        "embedding": codes.assign(cluster=model.predict(samples)),
    }
    return {name: pd.DataFrame(head).join(table) for name, table in tables.items()}


def _packed(model: Unwarper, samples: Any, ids: Array) -> bytes:
    out = io.BytesIO()
    table = model.transform_params(samples)
    np.savez_compressed(
        out,
        aligned=model.align(samples),
        template=model.template(samples),
        sample=ids,
        deformation=table.to_numpy(),
        deformation_columns=np.array(list(table)),
    )
    return out.getvalue()

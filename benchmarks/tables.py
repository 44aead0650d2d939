"""Tables of series read rightly, and formats that come in and go out.

    python -m benchmarks.tables    the counts, with the names of what fails

`benchmarks.door` runs both as the cells `tables/0` and `formats/0`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import cells
from benchmarks.cases.tables import Table, tables
from unwarp.data.formats.files import read
from unwarp.data.formats.registry import formats
from unwarp.data.opening import as_source
from unwarp.data.recording_form import TableForm, WaveForm
from unwarp.data.source import Source
from unwarp.data.writing import write
from unwarp.errors import UnwarpError

FILES = (".csv", ".csv.gz", ".tsv", ".txt", ".parquet", ".feather", ".npz", ".npy", ".mat", ".h5")
FOLDERS = ("csv", "wav", "edf")
"""Formats of one file, and of a folder with a file a recording."""

X = np.random.default_rng(0).normal(size=(12, 40)).astype(np.float32)


def shape_of(source: Source) -> tuple[int, int, int]:
    """Numbers of series, of the steps of the longest one, and of channels."""
    rows = [np.atleast_2d(row) for row in source.x]
    return len(rows), max(row.shape[1] for row in rows), len(rows[0])


def is_read_rightly(table: Table, folder: Path) -> bool:
    """Whether a table gives its series, or is refused if it reads two ways."""
    path = folder / "a.csv"
    path.write_text(table.text)
    try:
        return shape_of(read(path)) == table.shape
    except UnwarpError:
        return table.shape is None


def measure_tables(cases: Mapping[str, Table]) -> cells.Result:
    """Number of tables that are read rightly, and the names of the others."""
    with TemporaryDirectory() as folder:
        misread = [
            name for name, table in cases.items() if not is_read_rightly(table, Path(folder))
        ]
    scores = {"read_rightly": len(cases) - len(misread), "of": len(cases)}
    return {"scores": scores, "misread": misread}


def measure_formats() -> cells.Result:
    """Number of formats whose series come in, go out, and come in again as they were."""
    names = [*FILES, *(f"folder of .{name}" for name in FOLDERS)]
    failed = [name for name in names if not _goes_round(name)]
    return {"scores": {"in_and_out": len(names) - len(failed), "of": len(names)}, "failed": failed}


def _goes_round(name: str) -> bool:
    """Whether series in a format are read, written in a file like it, and read again."""
    suffix = name.rpartition(" of ")[2]
    package = formats()[Path(f"a{suffix}").suffix].package
    if package and find_spec(package) is None:
        return False
    with TemporaryDirectory() as place:
        path = _write_input(Path(place), name, suffix)
        source = as_source(path)
        # results in formats without a writer go out as tables
        end = "out/" if path.is_dir() else f"out{_written_suffix(suffix)}"
        write(f"{place}/{end}", source.x, like=source)
        again = as_source(Path(place) / end.rstrip("/"))
        equal = np.allclose(again.x, source.x, atol=1e-6)
        return equal and np.allclose(np.squeeze(source.x), X, atol=1e-3)


def _written_suffix(suffix: str) -> str:
    last = Path(f"a{suffix}").suffix
    is_series = last in (".csv", ".parquet", ".feather", ".npz", ".npy", ".mat", ".h5")
    return last if is_series else ".csv"


def _write_input(place: Path, name: str, suffix: str) -> Path:
    """A file or a folder with the series `X` in a format."""
    if name == suffix:
        path = place / f"in{suffix}"
        item = formats()[path.suffix]
        if suffix == ".csv.gz":
            import gzip

            text = "".join(",".join(map(repr, row)) + "\n" for row in X.tolist())
            path.write_bytes(gzip.compress(text.encode()))
        elif item.writer is not None:
            item.writer(path, X)
        else:
            write(path, X, like=Source(X, domain="series"))
        return path
    folder = place / "in"
    folder.mkdir()
    for k, row in enumerate(X):
        (folder / f"r{k:02}{suffix}").write_bytes(_recording(row, suffix))
    return folder


def _recording(row: np.ndarray, suffix: str) -> bytes:
    """The content of a file with one recording."""
    if suffix == ".edf":
        import edfio

        signal = edfio.EdfSignal(np.asarray(row, np.float64), 20, label="x")
        return bytes(edfio.Edf([signal]).to_bytes())
    form = WaveForm(20, 32, True) if suffix == ".wav" else TableForm()
    return form.encode(row[None], np.arange(len(row)) / 20, ("x",))


def main() -> None:
    """Print both results."""
    for result in (measure_tables(tables()), measure_formats()):
        print(json.dumps(result))


if __name__ == "__main__":
    main()

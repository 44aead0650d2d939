"""Images as people have them, with the default call: accuracy, time and memory.

    python -m benchmarks.door                      cells without a result file, then the page
    python -m benchmarks.door --cell clothes-64/0  one cell
    python -m benchmarks.door --quick              a few steps of one cell, written nowhere
    python -m benchmarks.door --table              the page alone, from the result files

Cells: `clothes-SIZE/SEED` enlarges Fashion-MNIST; `LIGHT/SEED` is a cell in another light;
`million/0` reads a million images from a memory map and writes to another one. Each cell runs in a
process of its own, whose private memory is measured. `tables/0` reads tables of loggers,
`formats/0` takes series through all formats, and `clock/SEED` finds events where their clock says.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import cells
from benchmarks.cases.images import CASES, Case, angle_error, clothes, scatter
from benchmarks.cases.tables import tables
from benchmarks.clocks import measure_clock
from benchmarks.tables import measure_formats, measure_tables

FOLDER, PAGE = "door", "docs/guide/images.md"
SEEDS = (0, 1, 2)
CLOTHES = {64: 300, 128: 100, 512: 100}
"""Number of images by their height and width in pixels."""

LIGHTS = ("plain", "gain", "dark", "hot", "bleach", "few")
MILLION, SIDE, SECONDS_BETWEEN_LOOKS = 1_000_000, 28, 0.05
NAMES = (
    *(f"clothes-{size}/{seed}" for size in CLOTHES for seed in SEEDS),
    *(f"{light}/{seed}" for light in LIGHTS for seed in SEEDS),
    "million/0",
    "tables/0",
    "formats/0",
    *(f"clock/{seed}" for seed in SEEDS),
)
OF_SERIES = ("tables", "formats", "clock")
"""Cells of series; all others are images."""


class Memory:
    """The largest private memory of this process, above that at the start.

    Attributes:
        megabytes: The largest value so far.
    """

    def __init__(self) -> None:
        self.start, self.megabytes, self._is_open = _private_megabytes(), 0.0, True
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self._is_open:
            self.megabytes = max(self.megabytes, _private_megabytes() - self.start)
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def close(self) -> float:
        """Stop watching; the largest memory in megabytes."""
        self._is_open = False
        return round(self.megabytes, 1)


def _private_megabytes() -> float:
    """Private memory of this process that was written to, from the operating system."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1e3


@contextmanager
def memory() -> Iterator[list[float]]:
    """Measure the memory of a block of code, in megabytes, as the only entry of a list."""
    watch, result = Memory(), list[float]()
    yield result
    result.append(watch.close())


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell, from a new process.

    Args:
        name: Name of the cell.
        quick: Whether to train for a few steps on a few images.
    """
    result: cells.Result = _output_of("--measure", name, *["--quick"][:quick])
    return result


def measure(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell in this process; see `cell` for the arguments."""
    kind, seed = name.split("/")
    if kind == "million":
        return measure_million(20_000 if quick else MILLION)
    if kind == "tables":
        return measure_tables(tables(int(seed)))
    if kind == "formats":
        return measure_formats()
    if kind == "clock":
        return measure_clock(int(seed), quick)
    if not kind.startswith("clothes-"):
        return measure_case(CASES[kind](seed=int(seed)), quick)
    from unwarp.datasets import load

    data, size = load("fashion-mnist", "train"), int(kind.partition("-")[2])
    images = np.round(data.x[:, 0].numpy() * 255)
    n = 20 if quick else CLOTHES[size]
    return measure_case(clothes(images, np.asarray(data.labels), int(seed), size, n), quick)


def measure_case(case: Case, quick: bool) -> cells.Result:
    """Accuracy, CPU seconds and memory of the default call on images of one or more kinds."""
    import torch

    from unwarp import Unwarper

    torch.set_num_threads(1)
    started = time.process_time()
    with memory() as megabytes:
        model = Unwarper(max_steps=5 if quick else None).fit(case.x)
        matrices = model.to_matrix(case.x)
    seconds = time.process_time() - started
    kinds = [case.kinds == kind for kind in np.unique(case.kinds)]
    angles = [angle_error(matrices[rows], case.subset(rows)) for rows in kinds]
    before, after = scatter(matrices[kinds[0]], case.subset(kinds[0]))
    scores = {
        "angle_of_worst_kind": round(max(angles), 3),
        "scatter_before": round(before, 3),
        "scatter": round(after, 3),
        "cpu_seconds": round(seconds, 1),
        "megabytes": megabytes[0],
    }
    return {"scores": scores, "shape": model.schema_.shape, "notes": model.schema_.notes}


def measure_million(n: int) -> cells.Result:
    """Private memory of `fit` and `align` on a memory map of many images, each in a process."""
    with TemporaryDirectory() as folder:
        n_bytes = _write_images(Path(folder) / "x.npy", n)
        scores = {
            f"megabytes_of_{step}": _output_of("--million", step, folder)
            for step in ("fit", "align")
        }
    return {"scores": scores, "megabytes_of_file": n_bytes / 1e6}


def run_million(step: str, folder: Path) -> float:
    """Memory in megabytes of a step on the images of a folder, above that of imports.

    Args:
        step: `fit` writes a model to the folder, `align` reads it.
        folder: Folder with the images.
    """
    import torch

    torch.set_num_threads(1)
    with memory() as megabytes:
        from unwarp import Unwarper

        x = np.load(folder / "x.npy", mmap_mode="r")
        if step == "fit":
            Unwarper(max_steps=300).fit(x).save(folder / "model")
        else:
            out = np.lib.format.open_memmap(folder / "out.npy", "w+", np.uint8, x.shape)
            Unwarper.load(folder / "model").align(x, out=out)
    return megabytes[0]


def _output_of(*words: str) -> Any:
    """The JSON value that this benchmark prints last in a new process."""
    command = [sys.executable, "-m", "benchmarks.door", *words]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def _write_images(path: Path, n: int) -> int:
    """Write n images of blobs at random places to a file, and return its number of bytes."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:SIDE, :SIDE] / SIDE
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (n, SIDE, SIDE))
    for start in range(0, n, 10_000):
        places = rng.uniform(0.3, 0.7, (len(images[start : start + 10_000]), 2, 1, 1))
        squares = (x - places[:, 0]) ** 2 + ((y - places[:, 1]) * 1.6) ** 2
        images[start : start + 10_000] = np.round(255 * np.exp(-squares / 0.02))
    images.flush()
    return images.nbytes


def table() -> None:
    """Rebuild the table of the page from the result files."""
    lines = [
        "| images | seeds | angle, worst class | scatter before | after | CPU | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    n_heads = len(lines)
    for kind in dict.fromkeys(name.partition("/")[0] for name in NAMES):
        results = [result for seed in SEEDS if (result := _result(f"{kind}/{seed}"))]
        if not results or kind in ("million", *OF_SERIES):
            continue
        s = cells.medians(results)
        lines.append(
            f"| {kind} | {len(results)} | {s['angle_of_worst_kind']:.2f} degrees | "
            f"{s['scatter_before']:.2f} px | {s['scatter']:.3f} px | {s['cpu_seconds']:.0f} s | "
            f"{s['megabytes']:.0f} MB |"
        )
    if million := _result("million/0"):
        s = million["scores"]
        lines += [
            "",
            f"A million images of 28 x 28 pixels ({million['megabytes_of_file']:.0f} MB) as a "
            f"memory map: `fit` takes {s['megabytes_of_fit']:.0f} MB of memory, `align` into "
            f"another memory map {s['megabytes_of_align']:.0f} MB.",
        ]
    words = "\n".join(lines) if len(lines) > n_heads else "Not measured yet."
    cells.quote("door", words, PAGE)
    cells.quote("tables", _words_of_tables(), "docs/guide/series_files.md")
    cells.quote("clock", _words_of_clock(), "docs/guide/series.md")


def _words_of_tables() -> str:
    """Numbers of tables and formats that are read rightly, in words."""
    read, written = _result("tables/0"), _result("formats/0")
    if read is None or written is None:
        return "Not measured yet."
    a, b = read["scores"], written["scores"]
    return (
        f"Of {a['of']:.0f} tables of loggers, {a['read_rightly']:.0f} are read rightly; of "
        f"{b['of']:.0f} formats, {b['in_and_out']:.0f} come in and go out (those that need a "
        "package which is not installed count as failed)."
    )


def _words_of_clock() -> str:
    """Errors of the times of known events, in words."""
    results = [result for seed in SEEDS if (result := _result(f"clock/{seed}"))]
    if not results:
        return "Not measured yet."
    s = cells.medians(results)
    return (
        f"Without a warp, the age of 12 of 80 children whose growth was measured at irregular ages "
        f"has a standard deviation of {s['age_12_deviation']:.2g} years. The evening peak of 30 "
        f"days is at most {60 * s['peak_of_days_error_hours']:.0f} minutes from 19:00, also on "
        f"the day of a clock change. With the default call, step 80 of 60 recordings that stop "
        f"early moves by {s['step_80_error']:.2g} steps; the spurts of the children, "
        f"{s['spurt_deviation_before']:.2f} years apart (standard deviation), come to "
        f"{s['spurt_deviation']:.2f} years."
    )


def _result(name: str) -> cells.Result | None:
    """The committed result of a cell; None if there is none yet."""
    path = cells.RESULTS / FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    match sys.argv[1:]:
        case ["--measure", name, *options]:
            print(json.dumps(measure(name, "--quick" in options)))
        case ["--million", step, folder]:
            print(json.dumps(run_million(step, Path(folder))))
        case _:
            cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("hot/0",))


if __name__ == "__main__":
    main()

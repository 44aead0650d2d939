"""Training and inference beyond one process and beyond the memory.

    python -m benchmarks.scale [--cell NAME] [--again] [--quick] [--table]

* `processes`: two processes with one thread each, connected by gloo, against one process with one
  thread, on the recipe of the demo with 256 and with 1,024 samples a step; and whether both models
  are equal, to the bit. Seconds are wall time, since processes wait for one another.
* `memory`: a fit on shards of uint8 pictures, and their alignment into shards, against the same fit
  on a part that is in memory: resident memory, and samples a second.
* `growth`: time by the number of samples, the length of series and the side of pictures.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks import cells
from benchmarks.growth import growth_line, measure_growth

ROOT = Path(__file__).parent.parent
FOLDER, PAGE = "scale", "docs/results/speed.md"
SIZE, GIGABYTES = 64, 10
STEPS = 60
BATCH_SIZES = 256, 1024
"""Samples in a step of all processes together."""


def train_digits(batch_size: int, steps: int) -> tuple[float, str]:
    """Samples a second and a checksum of the weights, of one training in this process."""
    from unwarp.datasets import affine_mnist
    from unwarp.planning.presets import DIGITS
    from unwarp.training.callbacks import Callback
    from unwarp.training.loop import train

    times: list[float] = []

    class Clock(Callback):
        def on_step(self, state: object, terms: object) -> None:
            times.append(time.perf_counter())

    torch.set_num_threads(1)
    data = affine_mnist.load("train")
    model = DIGITS.build(data.shape, seed=0)
    train(
        model,
        DIGITS.players(model),
        data,
        steps=steps,
        batch_size=batch_size,
        device="cpu",
        callbacks=[Clock()],
    )
    weights = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
    rate = batch_size / median(np.diff(times[3:]).tolist())
    return rate, hashlib.sha256(weights).hexdigest()


def in_processes(n: int, batch_size: int, steps: int) -> list[tuple[float, str]]:
    """What `train_digits` returns in each of `n` processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    names = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(n)}
    call = f"train_digits({batch_size}, {steps})"
    code = f"import json; from benchmarks.scale import *; print(json.dumps({call}))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **names, "OMP_NUM_THREADS": "1", "RANK": str(i)}
            | ({"LOCAL_RANK": str(i)} if n > 1 else {}),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(n)
    ]
    return [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]


def processes(quick: bool = False) -> cells.Result:
    """Pace of two processes against one, in turns, and equality of their models."""
    rounds, steps = (1, 8) if quick else (3, STEPS)
    scores: dict[str, float] = {}
    for size in BATCH_SIZES:
        ones, pairs = [], []
        for _ in range(rounds):
            ones.append(in_processes(1, size, steps)[0])
            pairs.append(in_processes(2, size, steps))
        one, two = ([rate for rate, _ in firsts] for firsts in (ones, [pair[0] for pair in pairs]))
        equal = all(len({weights for _, weights in pair}) == 1 for pair in pairs)
        scores |= {
            f"rate_of_one_{size}": round(median(one), 1),
            f"rate_of_two_{size}": round(median(two), 1),
            f"ratio_{size}": round(median(b / a for a, b in zip(one, two, strict=True)), 3),
            f"equal_models_{size}": float(equal),
        }
    return {"scores": scores, "rounds": rounds}


class Watch(threading.Thread):
    """Notes the greatest resident memory that is not a page of a file."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.greatest, self.is_over = 0.0, False

    def run(self) -> None:
        while not self.is_over:
            lines = Path("/proc/self/status").read_text().splitlines()
            numbers = {line.split(":")[0]: line.split()[1] for line in lines if "Rss" in line}
            self.greatest = max(self.greatest, float(numbers["RssAnon"]) / 2**20)
            time.sleep(0.05)


def make_shards(folder: Path, n_bytes: int) -> None:
    """Shards of uint8 pictures: smooth blobs at random places, written a shard at a time."""
    from unwarp.data import make_shards as make

    n = n_bytes // SIZE**2
    path = folder / "pictures.npy"
    x = np.lib.format.open_memmap(path, "w+", np.uint8, (n, SIZE, SIZE))
    rng, grid = np.random.default_rng(0), np.linspace(-1, 1, SIZE)
    for start in range(0, n, 4096):
        rows = min(4096, n - start)
        cx, cy = rng.uniform(-0.4, 0.4, (2, rows, 1))
        wx, wy = np.exp(-(((grid - cx) / 0.3) ** 2)), np.exp(-(((grid - cy) / 0.15) ** 2))
        x[start : start + rows] = (255 * wy[:, :, None] * wx[:, None, :]).astype(np.uint8)
    x.flush()
    del x
    make(path, folder / "shards")
    path.unlink()


def memory(quick: bool = False) -> cells.Result:
    """Resident memory and pace of a fit on shards and of their alignment."""
    from unwarp import Unwarper

    n_bytes = (GIGABYTES << 30) // (200 if quick else 1)
    steps = 10 if quick else 200
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        make_shards(folder, n_bytes)
        torch.set_num_threads(1)
        options = {"max_steps": steps, "n_clusters": 2, "device": "cpu", "content": "joint"}
        x = np.load(sorted((folder / "shards").glob("*.npy"))[0])[:4096]
        beside = Unwarper("affine", refine="none", **options).fit(x)
        watch = Watch()
        watch.start()
        model = Unwarper("affine", refine="none", **options).fit(folder / "shards")
        watch.is_over = True
        watch.join()
        model.save(folder / "model")
        code = (
            "import sys; from unwarp.app.cli.main import main; "
            f"sys.argv = ['unwarp', 'align', {str(folder / 'model')!r}, "
            f"{str(folder / 'shards')!r}, '--out', {str(folder / 'aligned')!r}, '-q']; main()"
        )
        aligning = [sys.executable, "-c", align_code(code)]
        done = subprocess.run(aligning, cwd=ROOT, capture_output=True, text=True, check=True)
        align_memory = float(done.stdout.splitlines()[-1])
    scores = {
        "gigabytes": n_bytes / 2**30,
        "fit_memory_gib": round(watch.greatest, 3),
        "align_memory_gib": round(align_memory, 3),
        "rate_on_shards": round(model.history_.samples_per_second, 1),
        "pace": round(model.history_.samples_per_second / beside.history_.samples_per_second, 3),
    }
    return {"scores": scores}


def align_code(code: str) -> str:
    """Code that runs a command and prints its greatest memory in GiB."""
    return (
        "from benchmarks.scale import Watch\nwatch = Watch(); watch.start()\n"
        f"try:\n    {code}\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print(watch.greatest)"
    )


CELLS = {"processes": processes, "memory": memory, "growth": measure_growth}


def table() -> None:
    """Write the lines of all result files."""
    lines = []
    for name in CELLS:
        path = cells.RESULTS / FOLDER / f"{name}.json"
        if not path.is_file():
            continue
        s = json.loads(path.read_text())["scores"]
        if name == "processes":
            for size in BATCH_SIZES:
                one, two = (s[f"rate_of_{n}_{size}"] for n in ("one", "two"))
                equal = "equal to the bit" if s[f"equal_models_{size}"] else "not equal"
                lines.append(
                    f"* With {size:,} samples a step, two processes with one thread each train "
                    f"{s[f'ratio_{size}']:.2f} times as fast as one ({two:,.0f} and {one:,.0f} "
                    f"samples/s); their models are {equal}."
                )
        elif name == "growth":
            lines.append(growth_line(s))
        else:
            lines.append(
                f"* On {s['gigabytes']:.2g} GiB of uint8 pictures in shards, `fit` holds "
                f"{s['fit_memory_gib']:.2f} GiB of memory of its own and `align` "
                f"{s['align_memory_gib']:.2f} GiB; training has {100 * s['pace']:.0f} % of "
                "the pace of pictures in memory."
            )
    cells.quote("scale", "\n".join(lines), PAGE)


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cell", choices=list(CELLS), action="append")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--table", action="store_true")
    words = parser.parse_args()
    for name in [] if words.table else words.cell or CELLS:
        if words.quick:
            print(name, CELLS[name](quick=True)["scores"])
        else:
            cells.run(FOLDER, name, CELLS[name], again=words.again)
    if not words.quick:
        table()


if __name__ == "__main__":
    main()

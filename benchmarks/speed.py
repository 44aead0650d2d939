"""Speed of training and of inference, compared with an earlier version in the same minutes.

    python -m benchmarks.speed [--cell NAME] [--rounds 5] [--base COMMIT] [--again] [--table]

Both versions run in processes of their own with one thread and take turns, case by case; seconds
are processor time. A result is the median of the ratios of rounds. The base is commit 9a2a833, of
which the benchmark makes a work tree in a temporary folder. The peak of the machine is that of
products of matrices, by MKL or oneDNN, whichever is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import torch

from benchmarks import cells
from benchmarks.speed_worker import CASES

ROOT = Path(__file__).parent.parent
BASE = "9a2a833"
FOLDER = "speed"
PAGE = "docs/results/speed.md"


class Worker:
    """A process that measures one version of the library."""

    def __init__(self, source: Path) -> None:
        path = os.pathsep.join([str(source / "src"), str(source)])
        self.operations_per_sample = 0.0
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "benchmarks/speed_worker.py")],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            cwd=source,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def rate(self, name: str) -> float:
        """Samples a second of one round of a case."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith('{"seconds"'):
            if not line:
                raise RuntimeError(f"the worker of {name} ended")
        answer = json.loads(line)
        self.operations_per_sample = answer["operations"] / answer["samples"]
        return float(answer["samples"] / median(answer["seconds"]))

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def work_tree(stack: ExitStack, commit: str) -> Path:
    """A work tree of an earlier commit, removed at the end."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "base"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "-q", "--detach", str(folder), commit], check=True)
    stack.callback(subprocess.run, [*git, "remove", "--force", str(folder)], check=True)
    return folder


def peak_gflops() -> float:
    """Billions of operations a second of products of matrices, the best of both libraries."""
    best, a, b = 0.0, torch.rand(512, 784), torch.rand(784, 512)
    weights = torch.rand(512, 784).to_mkldnn() if torch.backends.mkldnn.is_available() else None
    for _ in range(20):
        started = time.process_time()
        for _ in range(20):
            torch.mm(a, b)
        best = max(best, 20 * 2 * 512 * 512 * 784 / (time.process_time() - started))
        if weights is not None:
            started, x = time.process_time(), a.to_mkldnn()
            for _ in range(20):
                torch.nn.functional.linear(x, weights, torch.zeros(512).to_mkldnn())
            best = max(best, 20 * 2 * 512 * 512 * 784 / (time.process_time() - started))
    return best / 1e9


def cell(name: str, workers: tuple[Worker, Worker], rounds: int) -> cells.Result:
    """Rates of both versions in turns, and the median of their ratios."""
    new, base = workers
    pairs = [(new.rate(name), base.rate(name)) for _ in range(rounds)]
    scores = {
        "rate": float(f"{median(a for a, _ in pairs):.4g}"),
        "base_rate": float(f"{median(b for _, b in pairs):.4g}"),
        "ratio": round(median(a / b for a, b in pairs), 3),
        "least_ratio": round(min(a / b for a, b in pairs), 3),
        "greatest_ratio": round(max(a / b for a, b in pairs), 3),
        "peak_gflops": round(peak_gflops(), 1),
    }
    if name.startswith("train-"):
        share = scores["rate"] * new.operations_per_sample / scores["peak_gflops"] / 1e9
        scores["share_of_peak"] = round(share, 3)
    return {"scores": scores, "base": BASE, "rounds": rounds}


def rate_text(rate: float) -> str:
    """A rate for people."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def table() -> None:
    """Write the table of all result files."""
    lines = [
        f"| case | samples/s | at {BASE} | ratio (least to greatest of rounds) | share of peak |",
        "|---|---|---|---|---|",
    ]
    for name in CASES:
        path = cells.RESULTS / FOLDER / f"{name}.json"
        if not path.is_file():
            continue
        s = json.loads(path.read_text())["scores"]
        low, high = s["least_ratio"], s["greatest_ratio"]
        share = f"{100 * s['share_of_peak']:.0f} %" if "share_of_peak" in s else ""
        lines.append(
            f"| {name} | {rate_text(s['rate'])} | {rate_text(s['base_rate'])} | "
            f"**{s['ratio']:.2f}** ({low:.2f} to {high:.2f}) | {share} |"
        )
    cells.quote("speed", "\n".join(lines), PAGE)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cell", choices=list(CASES), action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--quick", action="store_true", help="one round of one case, no base")
    parser.add_argument("--table", action="store_true", help="only write the table")
    words = parser.parse_args()
    if words.table:
        return table()
    with ExitStack() as stack:
        if words.quick:
            worker = Worker(ROOT)
            stack.callback(worker.close)
            print(f"train-digits-64: {worker.rate('train-digits-64'):,.0f} samples/s")
            return None
        tree = work_tree(stack, words.base)
        workers = (Worker(ROOT), Worker(tree))
        for worker in workers:
            stack.callback(worker.close)
        for name in words.cell or CASES:
            cells.run(
                FOLDER, name, lambda n=name: cell(n, workers, words.rounds), again=words.again
            )
    table()


if __name__ == "__main__":
    main()

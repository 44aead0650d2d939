"""Cost of the training loop, compared with a bare PyTorch loop in the same process.

    python -m benchmarks.overhead [--rounds 12] [--steps 40] [--threads 1]

The two take turns, block by block; the ratio of each pair is noted, and the median is quoted. A
bare step draws the same batch, calls the same loss, clips and steps the same fused optimiser; ours
adds the players, accelerate, the check of every term, the schedule, the history and the callbacks'
turn.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import torch

from benchmarks import cells
from unwarp.core import Batch
from unwarp.datasets.affine_mnist import load
from unwarp.models import Model, Player
from unwarp.planning.presets import DIGITS
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train

BATCH = 128


def bare(player: Player, data: torch.utils.data.Dataset[Batch], steps: int) -> float:
    """Seconds of a loop that does nothing but learn."""
    optimiser = torch.optim.AdamW(
        player.module.parameters(), lr=1e-3, weight_decay=1e-4, betas=(0.9, 0.99), fused=True
    )
    order, generator = torch.Generator().manual_seed(0), torch.Generator().manual_seed(1)
    player.module.train()
    started = time.perf_counter()
    for step in range(steps):
        rows = torch.randint(len(data), (BATCH,), generator=order)  # type: ignore[arg-type]
        batch = data.batch(rows, generator)  # type: ignore[attr-defined]
        loss = torch.stack(list(player.loss(batch, step, generator).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(player.module.parameters(), 20.0)
        optimiser.step()
    return time.perf_counter() - started


def ours(model: Model, player: Player, data: object, steps: int) -> float:
    """Seconds of the library's loop, without its set-up and centring."""
    history = train(
        model, [player], data, steps=steps, batch_size=BATCH, device="cpu", callbacks=[Callback()]
    )  # type: ignore[arg-type]
    return history.seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    data, model = load("train"), DIGITS.build((1, 40, 40))
    player = DIGITS.players(model)[0]
    pairs = []
    for turn in range(asked.rounds + 1):
        runs = {"bare": 0.0, "ours": 0.0}
        for name in ("bare", "ours") if turn % 2 else ("ours", "bare"):
            work = (
                (lambda: bare(player, data, asked.steps))
                if name == "bare"
                else (lambda: ours(model, player, data, asked.steps))
            )  # type: ignore[arg-type]
            runs[name] = work()
        if turn:
            pairs.append(runs)
    images = BATCH * asked.steps
    result = {
        "ratio_ours_to_bare": round(median(p["ours"] / p["bare"] for p in pairs), 4),
        "ratios": [round(p["ours"] / p["bare"], 4) for p in pairs],
        "images_per_second_ours": round(median(images / p["ours"] for p in pairs)),
        "images_per_second_bare": round(median(images / p["bare"] for p in pairs)),
        "environment": cells.environment(),
    }
    cells.write(cells.RESULTS / "overhead.json", result)
    print(cells.json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

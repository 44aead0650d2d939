"""Draw the animation of the README and of the site: deformed digits flow into alignment.

    python -m benchmarks.animation [steps]

Learns from 4,000 deformed digits without labels, then undoes the deformation of 1,000 others little
by little. Writes `docs/images/digits.webp`, and `digits.png` beside it, the first and the last
frame, for readers who asked their system for less motion.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from scipy.linalg import expm, logm

from unwarp import Unwarper
from unwarp.datasets import digits
from unwarp.datasets.affine_mnist import fixed_observations
from unwarp.plots.style import RED, TEXT_COLOUR, new_figure

IMAGES = Path(__file__).parents[1] / "docs" / "images"

N_EXAMPLES = 5
"""Digits that are shown of each kind."""

N_FRAMES, MOVE_MILLISECONDS, REST_MILLISECONDS = 24, 70, 1500
"""Frames of the way, time of each, and rest at both ends."""

PIXELS, QUALITY = 720, 30
"""Width of the animation, and quality of its compression, which keeps it below 400 kB."""


def partly_undone(x: np.ndarray, logarithms: np.ndarray, share: float) -> np.ndarray:
    """Pictures with a share of their deformation undone.

    Args:
        x: Pictures (N, H, W).
        logarithms: Matrix logarithm of each deformation (N, 3, 3), from template to observation.
        share: 0 for the pictures as they are, 1 for aligned ones.
    """
    size = x.shape[2:0:-1]
    moves = [expm(-share * logarithm)[:2] for logarithm in logarithms]
    return np.stack([cv2.warpAffine(*pair, size) for pair in zip(x, moves, strict=True)])


def board(x: np.ndarray, kinds: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A block of examples, a column for each kind, and a row of the kinds' mean pictures.

    Args:
        x: Pictures (N, H, W).
        kinds: Cluster of each picture (N,).
        order: Clusters, from left to right.
    """
    columns = [x[kinds == kind] for kind in order]
    examples = np.block([[column[row] for column in columns] for row in range(N_EXAMPLES)])
    return examples, np.hstack([column.mean(0) for column in columns])


def frame(examples: np.ndarray, means: np.ndarray, share: float) -> Image.Image:
    """A frame with the examples above, their means below, and the share that is undone."""
    figure = new_figure(PIXELS / 130, 0.72 * PIXELS / 130)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(2, 1, height_ratios=(N_EXAMPLES, 1.25))
    words = ("1,000 digits that the model never saw: five of each kind that it found", "mean")
    for axis, values, limit in zip(axes, (examples, means), (1.0, means.max()), strict=True):
        axis.imshow(values, cmap="gray_r", vmin=0, vmax=limit, interpolation="bilinear")
        axis.set_axis_off()
    axes[0].set_title(words[0], fontsize=8, color=TEXT_COLOUR)
    state = "as observed" if share == 0 else "aligned" if share == 1 else "deformation undone"
    title = f"mean of all digits of the kind: {state} ({100 * share:.0f}%)"
    axes[1].set_title(title, fontsize=8, color=RED if share else TEXT_COLOUR)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])


def main(steps: int | None) -> None:
    """Learn, and write both files."""
    observed = [
        fixed_observations(digits.load(part), draws=1, seed=0).x[:, 0].numpy()
        for part in ("train", "test")
    ]
    unwarper = Unwarper("affine", max_steps=steps, verbose=True).fit(observed[0])
    # the digits are in the order of their labels, so that the first of a kind are its mistakes
    x = observed[1][np.random.default_rng(0).permutation(len(observed[1]))]
    kinds = unwarper.predict(x)
    logarithms = [logm(np.float64(matrix)).real for matrix in unwarper.to_matrix(x, "opencv")]
    order = [kind for kind in np.unique(kinds) if (kinds == kind).sum() >= N_EXAMPLES]
    shares = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, N_FRAMES))
    frames = [
        frame(*board(partly_undone(x, np.array(logarithms), share), kinds, np.array(order)), share)
        for share in shares
    ]
    loop = [*frames, *frames[-2:0:-1]]
    times = [
        REST_MILLISECONDS if i in (0, N_FRAMES - 1) else MOVE_MILLISECONDS for i in range(len(loop))
    ]
    loop[0].save(
        IMAGES / "digits.webp",
        save_all=True,
        append_images=loop[1:],
        duration=times,
        loop=0,
        quality=QUALITY,
        method=6,
    )
    still = Image.fromarray(np.vstack([np.asarray(frames[0]), np.asarray(frames[-1])]))
    still.quantize(32).save(IMAGES / "digits.png", optimize=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)

"""Files in the format in which dSprites is published, with a pickle that must not be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unwarp.datasets.sprites.grid import latent_classes, latent_values
from unwarp.datasets.sprites.renderer import render

N_FRAMES = 2500
ROWS = np.array([2499, 0, 1000, 999, 1000, 7])
"""Rows in any order, one of them twice, in all blocks of a file of `N_FRAMES` frames."""


class Trap:
    """An object that raises an error when it is unpickled, one that no reader converts."""

    def __reduce__(self) -> tuple[Any, ...]:
        """The call that unpickling makes."""
        return (_spring, ())


def _spring() -> None:
    """Raise the error of the trap."""
    raise KeyboardInterrupt("metadata was unpickled")


def arrays(n: int = N_FRAMES, **changes: Any) -> dict[str, Any]:
    """The arrays of a published file with the first `n` rows of the grid.

    Args:
        n: Number of frames.
        changes: Arrays to replace, by name; None to leave one out.
    """
    classes = latent_classes(np.arange(n))
    published = {
        "metadata": np.array(Trap(), dtype=object),
        "imgs": render(latent_values(classes)),
        "latents_classes": classes,
        "latents_values": latent_values(classes),
    }
    return {name: value for name, value in (published | changes).items() if value is not None}


def write_file(path: Path, content: dict[str, Any]) -> Path:
    """Write named arrays to a compressed file, and return its path."""
    np.savez_compressed(path, allow_pickle=True, **content)
    return path

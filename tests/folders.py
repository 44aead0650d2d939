"""Model folders as earlier versions wrote them."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file


def forget_checksums(folder: Path) -> None:
    """Remove the checksums of a model folder, so that its files can be edited."""
    path = folder / "model.safetensors"
    tensors = {name: value.clone() for name, value in load_file(path).items()}
    path.unlink()
    save_file(tensors, path)

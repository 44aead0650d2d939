"""Model folders: checked when read, without pickles, refused with the mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unwarp._version import __version__
from unwarp.errors import CheckpointError
from unwarp.models import AE, Net
from unwarp.models.store import FORMAT_VERSION, load, save
from unwarp.warps import Affine2d, Chain, Displacement2d

RECIPE = AE(
    warp=Chain(Displacement2d(3), Affine2d(rotation=60.0)), n_content=3, net=Net("mlp", (8,), (8,))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved model."""
    save(RECIPE.build((1, 10, 10)), RECIPE, tmp_path / "model")
    return tmp_path / "model"


def rewrite_config(folder: Path, **changes: Any) -> None:
    """Change values of the configuration."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def test_damage_is_named(tmp_path: Path, folder: Path) -> None:
    """An absent or damaged file, or one that contradicts the other, is named."""
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        load(tmp_path / "absent")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CheckpointError, match="is damaged"):
        load(folder)
    (folder / "model.safetensors").write_bytes(weights)
    rewrite_config(folder, shape=[1, 12, 12])
    with pytest.raises(CheckpointError, match=r"the weights do not fit config\.json"):
        load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="is damaged"):
        load(folder)


def test_nothing_on_disk_is_a_pickle(folder: Path) -> None:
    """A model folder holds JSON, tensors and text."""
    for path in folder.iterdir():
        assert path.suffix in (".json", ".safetensors", ".md")
        assert path.read_bytes()[:2] not in (b"PK", b"\x80\x02", b"\x80\x04")


def test_older_format_says_who_wrote_it(folder: Path) -> None:
    """A folder of an older format is refused with its version and the mend."""
    rewrite_config(folder, format_version=FORMAT_VERSION - 1, unwarp="0.0.9")
    with pytest.raises(
        CheckpointError, match=r"written by unwarp 0\.0\.9 .*train the model again, or install"
    ):
        load(folder)


def test_newer_format_asks_for_an_upgrade(folder: Path) -> None:
    """A folder of a newer format is refused with the command that upgrades."""
    rewrite_config(folder, format_version=FORMAT_VERSION + 1)
    with pytest.raises(
        CheckpointError,
        match=rf"this unwarp {__version__} reads up to {FORMAT_VERSION}; upgrade with: pip",
    ):
        load(folder)


@pytest.mark.parametrize("part", ["recipe", "warp"])
def test_absent_module_is_named(folder: Path, part: str) -> None:
    """A family of a module that is not imported is refused by folder and module, not as damage."""
    config = json.loads((folder / "config.json").read_text())
    toy = {"family": "toy", "module": "my_project.toys"}
    rewrite_config(folder, recipe=toy if part == "recipe" else config["recipe"] | {"warp": toy})
    with pytest.raises(
        CheckpointError, match=r"model: family 'toy' is defined in my_project\.toys"
    ) as caught:
        load(folder)
    assert "import it, then load again" in str(caught.value)
    assert "save it again" not in str(caught.value)


def test_interrupted_replacement_is_read(folder: Path) -> None:
    """A folder that an interrupted save moved away is found, moved back and read."""
    folder.rename(folder.with_name(".model.unwarp-backup"))
    load(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_earlier_model_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is saved over itself, by `~` and through a link, and read again likewise."""
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    (folder.parent / "link").symlink_to(folder)
    for name in ("~/model", folder.parent / "link", folder):
        save(load(name)[0], RECIPE, name)
    assert {path.name for path in folder.parent.iterdir()} == {"model", "link"}

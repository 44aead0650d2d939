"""Model folders: checked when read, without pickles, refused with the mend."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.folders import forget_checksums
from tests.weights import weights
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
    """Change values of the configuration, in a folder without checksums."""
    forget_checksums(folder)
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


def check_flips(model_folder: Path, folder: Path, step: int) -> None:
    """Flip every `step`-th byte of all files in turn; what loads is equal to the bit."""
    original, recipe, config = load(model_folder)
    shutil.copytree(model_folder, folder)
    for path in sorted(model_folder.iterdir()):
        content, copy = path.read_bytes(), folder / path.name
        bits = np.random.default_rng(0).integers(1, 256, len(content))
        for i in range(0, len(content), step):
            damaged = bytearray(content)
            damaged[i] ^= int(bits[i])
            copy.unlink()  # the earlier file may still be mapped to memory
            copy.write_bytes(damaged)
            try:
                model, loaded_recipe, loaded_config = load(folder)
            except CheckpointError:
                continue
            assert (loaded_recipe, loaded_config) == (recipe, config), f"{path.name}, byte {i}"
            assert torch.equal(weights(model), weights(original)), f"{path.name}, byte {i}"
        copy.unlink()
        copy.write_bytes(content)


SMALL_RECIPE = AE(warp=Affine2d(rotation=60.0), n_content=2, net=Net("mlp", (4,), (4,)))


@pytest.mark.parametrize("step", [211, pytest.param(1, marks=pytest.mark.slow)])
def test_flipped_bytes_are_refused(step: int, tmp_path: Path) -> None:
    """A flipped byte of a model folder is refused or has no effect on what is loaded."""
    save(SMALL_RECIPE.build((1, 6, 6)), SMALL_RECIPE, tmp_path / "model")
    check_flips(tmp_path / "model", tmp_path / "copy", step)


def test_folders_without_checksums_load(folder: Path) -> None:
    """A folder of an earlier version has no checksums, and gives the same weights."""
    model, _, _ = load(folder)
    forget_checksums(folder)
    assert torch.equal(weights(load(folder)[0]), weights(model))


def test_further_values_come_back(tmp_path: Path) -> None:
    """Values and tensors of a caller are stored beside the model: numbers of NumPy as numbers."""
    extra = {
        "rate": np.float64(0.5),
        "count": np.int64(3),
        "path": Path("a/b"),
        "arrays": {"centres": torch.arange(6.0).reshape(2, 3).mT},
    }
    save(RECIPE.build((1, 10, 10)), RECIPE, tmp_path / "model", extra)
    model, recipe, config = load(tmp_path / "model")
    assert (config["rate"], config["count"], config["path"]) == (0.5, 3, str(Path("a/b")))
    assert torch.equal(config["arrays"]["centres"], extra["arrays"]["centres"])
    assert config["shape"] == [1, 10, 10] and recipe == RECIPE and not model.training
    assert extra.keys() == {"rate", "count", "path", "arrays"}  # the argument stays as it was


@pytest.mark.parametrize("record", ["[1]", "3", "null", '"a"'])
def test_config_that_is_no_record(folder: Path, record: str) -> None:
    """JSON values that are no record have no format version."""
    (folder / "config.json").write_text(record)
    with pytest.raises(CheckpointError, match="has no format version; save the model again"):
        load(folder)


@pytest.mark.parametrize("sums", ["[]", "3", "null"])
def test_checksums_that_are_no_record(folder: Path, sums: str) -> None:
    """Checksums that are no record are damage."""
    path = folder / "model.safetensors"
    tensors = {name: value.clone() for name, value in load_file(path).items()}
    path.unlink()
    save_file(tensors, path, {"checksums": sums})
    with pytest.raises(CheckpointError, match="the checksums are no record"):
        load(folder)


def test_changed_tensor_is_named(folder: Path) -> None:
    """The tensor whose checksum differs, or that is missing or new, is named."""
    path = folder / "model.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = {name: value.clone() for name, value in load_file(path).items()}
    last = max(tensors)
    for name, values in (
        (last, tensors | {last: tensors[last] + 1}),
        (last, {key: value for key, value in tensors.items() if key != last}),
        ("array.new", tensors | {"array.new": torch.zeros(1)}),
    ):
        path.unlink()
        save_file(values, path, metadata)
        with pytest.raises(CheckpointError, match=rf"the checksum of {name} differs\); save"):
            load(folder)


def test_domain_of_absent_module_is_named(folder: Path) -> None:
    """A model of a domain that no imported module defines says so."""
    rewrite_config(folder, domain="volume-of-mine")
    with pytest.raises(CheckpointError, match="domain 'volume-of-mine' is not defined; import"):
        load(folder)


def test_readme_says_how_to_load(folder: Path) -> None:
    """The text for people names the family, the warp and the shape, and the line that loads."""
    text = (folder / "README.md").read_text()
    assert text.startswith(
        "# Unwarp model\n\nae with the warp `chain`, for samples of shape (1, 10"
    )
    assert "Unwarper.load(folder)" in text
    config = (folder / "config.json").read_text()
    assert config.startswith('{\n  "format_version": 2,\n  "unwarp": "')


def test_edited_config_is_refused(folder: Path) -> None:
    """Other values in the configuration are noticed, another layout of its text is none."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config, indent=7, sort_keys=True))
    load(folder)
    (folder / "config.json").write_text(json.dumps(config | {"torch": "0.1"}))
    with pytest.raises(CheckpointError, match=r"the checksum of config\.json differs"):
        load(folder)


def test_weights_that_are_not_finite(folder: Path, tmp_path: Path) -> None:
    """NaN is neither written nor loaded, also from a folder without checksums."""
    path = folder / "model.safetensors"
    tensors = {name: value.clone() for name, value in load_file(path).items()}
    name = next(name for name in tensors if name.endswith("weight"))
    tensors[name].view(-1)[0] = torch.nan
    path.unlink()
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="not finite"):
        load(folder)
    model = RECIPE.build((1, 10, 10))
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = torch.inf
    with pytest.raises(CheckpointError, match=r"not finite, so .* is not written"):
        save(model, RECIPE, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(os.name != "posix", reason="pipes are those of POSIX")
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_pipes_are_refused(folder: Path, name: str) -> None:
    """A pipe in the place of a file is refused, and not waited for."""
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(CheckpointError, match=r"is damaged \(.*it is no plain file"):
        load(folder)


@pytest.mark.parametrize("shape", [[1, 0, 10], [1, -10, -10], [1, 10.5, 10], "1"])
def test_impossible_shapes_are_refused(folder: Path, shape: Any) -> None:
    """A shape without pixels, or none at all, is refused by type."""
    rewrite_config(folder, shape=shape)
    with pytest.raises(CheckpointError, match=r"do not fit config\.json"):
        load(folder)

"""Choices and models on disk: whole or not at all, checked when read, never executed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unwarp.errors import CheckpointError, ConfigError
from unwarp.models import AE, VAE, Net
from unwarp.models.codec import describe, restore
from unwarp.models.store import load, save
from unwarp.storage import write_folder
from unwarp.warps import Affine2d, Chain, Displacement2d

RECIPE = AE(warp=Chain(Displacement2d(3), Affine2d(rotation=60.0)), n_content=3, net=Net("mlp", (8,), (8,)))


def saved(folder: Path) -> Path:
    save(RECIPE.build((1, 10, 10)), RECIPE, folder / "model")
    return folder / "model"


def test_json_gives_the_same_choice_back() -> None:
    for choice in (RECIPE, VAE(beta=4.0), RECIPE.warp):
        assert restore(json.loads(json.dumps(describe(choice)))) == choice
    assert restore({"family": "ae", "warp": "displacement+affine"}).warp == Chain(Displacement2d(), Affine2d())


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"family": "gpt"}, "choose one of ae, affine"),
        ({"family": "ae", "n_contents": 3}, "no field 'n_contents'; its fields are"),
        ({"family": "ae", "n_content": "many"}, "AE.n_content"),
        ({"family": "ae", "optimiser": {"lr": "fast"}}, "Optimiser.lr"),
        ({"family": "ae", "optimiser": {"rate": 1}}, "Optimiser has no field 'rate'"),
        ({"family": "ae", "warp": "wobble"}, "choose one of affine"),
        ({"family": "ae", "crop": 0}, "crop must be in"),
        ({"family": "vae", "beta": -1}, "must be 0 or more"),
        ({"family": "ae", "padding": "mirror"}, "zeros"),
    ],
)
def test_a_wrong_record_says_what_there_is(record: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        restore(record)


def test_a_failed_write_leaves_the_old_folder(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TypeError):
        write_folder(folder, {"config.json": "{}", "broken": 3})  # type: ignore[dict-item]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.tex").write_text("precious")
    with pytest.raises(CheckpointError, match="not a model folder"):
        saved(tmp_path)
    assert (tmp_path / "model" / "thesis.tex").read_text() == "precious"


def test_damage_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        load(tmp_path / "nowhere")
    folder = saved(tmp_path)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CheckpointError, match="is damaged"):
        load(folder)
    (folder / "model.safetensors").write_bytes(weights)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"shape": [1, 12, 12]}))
    with pytest.raises(CheckpointError, match=r"does not hold what its config\.json says"):
        load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="is damaged"):
        load(folder)


def test_nothing_on_disk_is_a_pickle(tmp_path: Path) -> None:
    for path in saved(tmp_path).iterdir():
        assert path.suffix in (".json", ".safetensors", ".md")
        assert path.read_bytes()[:2] not in (b"PK", b"\x80\x02", b"\x80\x04")

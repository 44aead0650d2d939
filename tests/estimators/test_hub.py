"""Models of the hub, without a network: local folders, and a hub that is a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.estimators.exported import fitted
from unwarp import Unwarper
from unwarp.core import Array
from unwarp.errors import CheckpointError, ConfigError
from unwarp.estimators import hub
from unwarp.estimators.hub import FILES, from_pretrained, model_card, push


@pytest.fixture(scope="module")
def trained() -> tuple[Unwarper, Array]:
    """A small model and its samples; no test changes them."""
    return fitted("shift")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that takes the place of the hub."""
    package = pytest.importorskip("huggingface_hub")
    folder = tmp_path / "hub"

    class Api:
        def __init__(self, **options: Any) -> None:
            assert options["library_name"] == "unwarp"

        def create_repo(self, repo_id: str, private: bool, exist_ok: bool) -> None:
            if "/" not in repo_id:
                raise OSError("403 Forbidden.\nlong text")
            assert exist_ok

        def upload_folder(self, folder_path: Path, **options: Any) -> Any:
            shutil.copytree(folder_path, folder)
            return SimpleNamespace(commit_url=f"https://hub/{options['repo_id']}")

    def download(repo_id: str, allow_patterns: list[str], **options: Any) -> str:
        if not folder.is_dir():
            raise OSError("404 Not Found.")
        assert set(allow_patterns) == set(FILES)
        return str(folder)

    monkeypatch.setattr(package, "HfApi", Api)
    monkeypatch.setattr(package, "snapshot_download", download)
    return folder


def test_models_come_back(trained: tuple[Unwarper, Array], repository: Path) -> None:
    """A model that was pushed computes the same numbers, and its card says how to load it."""
    unwarper, X = trained
    assert push(unwarper, "name/lags") == "https://hub/name/lags"
    assert {path.name for path in repository.iterdir()} == set(FILES)
    card = (repository / "README.md").read_text()
    assert card == model_card(unwarper, "name/lags") and card.startswith(
        "---\nlibrary_name: unwarp"
    )
    loaded = from_pretrained("name/lags")
    np.testing.assert_array_equal(loaded.align(X), unwarper.align(X))


def test_local_folders_are_loaded(
    trained: tuple[Unwarper, Array], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They need no package and no network."""
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    unwarper, X = trained
    unwarper.save(tmp_path / "model")
    loaded = from_pretrained(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(X), unwarper.transform(X))


def test_damaged_downloads_are_refused(trained: tuple[Unwarper, Array], repository: Path) -> None:
    """Checksums are those of any saved model."""
    push(trained[0], "name/lags")
    path = repository / "config.json"
    path.write_text(path.read_text().replace('"n_content": 3', '"n_content": 2'))
    with pytest.raises(CheckpointError, match="checksum"):
        from_pretrained("name/lags")


@pytest.mark.usefixtures("repository")
def test_refusals_of_the_hub_are_told(trained: tuple[Unwarper, Array]) -> None:
    """One line, for uploads and for downloads."""
    with pytest.raises(ConfigError, match=r"\(403 Forbidden\); check the name"):
        push(trained[0], "lags")
    with pytest.raises(CheckpointError, match="404 Not Found"):
        from_pretrained("name/none")


def test_missing_package_is_named(
    trained: tuple[Unwarper, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the extra."""
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"unwarp\[hub\]"):
        push(trained[0], "name/lags")
    with pytest.raises(ConfigError, match=r"unwarp\[hub\]"):
        from_pretrained("name/lags")

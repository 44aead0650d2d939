"""Opening: a run with its data, a run whose data are gone, and a model alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from unwarp.app.explorer.opening import open_exploration
from unwarp.app.job import load_job
from unwarp.app.outcome import Outcome
from unwarp.errors import CheckpointError, DataError


@pytest.fixture(scope="module")
def run(series_run: Outcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of its own."""
    folder = tmp_path_factory.mktemp("explored") / "waves"
    shutil.copytree(Path(series_run.job.source).parent / "run", folder)
    return folder


def test_run_opens_its_data(run: Path) -> None:
    """All samples of the file are there, with labels, and lines say so."""
    lines: list[str] = []
    exploration = open_exploration(run, device="cpu", on_message=lines.append)
    assert (exploration.name, exploration.folder) == ("waves", run)
    assert len(exploration.collection) == 30 and exploration.columns["label"].categories
    assert "(30, 2, 24)" in lines[0] and not exploration.notes


def test_other_data_are_shown(run: Path, tmp_path: Path) -> None:
    """Data that the user names take the place of those of the run."""
    with np.load(load_job(run).source) as data:
        np.save(tmp_path / "few.npy", data["x"][:12])
    exploration = open_exploration(run, str(tmp_path / "few.npy"), device="cpu")
    assert len(exploration.collection) == 12


def test_model_alone_has_sliders(run: Path) -> None:
    """Without data there is a note, and nothing is written into the folder of the model."""
    exploration = open_exploration(run / "model", device="cpu")
    assert len(exploration.collection) == 0 and exploration.folder is None
    assert "no data" in exploration.notes[0] and exploration.facts["content"]


def test_lost_data_are_an_error(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the source and both ways out."""
    text = (run / "run.json").read_text()
    source = load_job(run).source
    (run / "run.json").write_text(text.replace(source, "/nowhere/waves.npz"))
    with pytest.raises(
        DataError, match=r"/nowhere/waves\.npz.*give --data SOURCE, or open .*/model"
    ):
        open_exploration(run, device="cpu")
    (run / "run.json").write_text(text)


def test_folder_without_model_is_refused(tmp_path: Path) -> None:
    """Any other folder is no model."""
    with pytest.raises(CheckpointError):
        open_exploration(tmp_path)

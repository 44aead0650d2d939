"""The command `sweep`: files, mistakes, and two workers of which one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import unwarp
from unwarp.app.cli import main

pytest.importorskip("optuna", reason="the extra sweep is not installed")

SPACE = "n_joint: {low: 2, high: 12}\nnet.encoder: [[8], [16, 8]]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with samples and a search space."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((30, 8, 8)))
    (tmp_path / "space.yaml").write_text(SPACE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(n_trials: int, n_steps: int) -> list[str]:
    """The words of a sweep."""
    words = f"sweep x.npy --out out --trials {n_trials} --steps {n_steps} --space space.yaml"
    return [*words.split(), "--device", "cpu"]


def test_sweep_writes_its_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trials, the best recipe and a summary; another call finds all trials finished."""
    monkeypatch.setattr(sys, "argv", ["unwarp", *command(2, 4), "--json"])
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            main.main()
        assert not end.value.code
    assert '"trials": 2' in capsys.readouterr().out
    assert {"trials.csv", "best.yaml", "summary.txt"} <= {
        path.name for path in (folder / "out").iterdir()
    }
    monkeypatch.setattr(sys, "argv", ["unwarp", *command(2, 4), "--set", "n_contents=3"])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 2 and "has no field 'n_contents'" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_worker_loses_only_its_trial(folder: Path) -> None:
    """Each number appears once, and the sweep ends with as many finished trials as asked."""
    words = [sys.executable, "-m", "unwarp", *command(6, 150), "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(Path(unwarp.__file__).parents[1])}
    workers = [subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environment) for _ in "ab"]
    files, end = folder / "out" / "workers", time.monotonic() + 60
    journal = folder / "out" / "journal.log"
    name = f"-{workers[0].pid}-"
    while not (journal.is_file() and name in journal.read_text()):  # until it has a trial
        assert time.monotonic() < end
        time.sleep(0.05)
    workers[0].send_signal(signal.SIGKILL)
    assert (workers[0].wait(), workers[1].wait(100)) == (-signal.SIGKILL, 0)
    table = pd.read_csv(folder / "out" / "trials.csv")
    assert table["trial"].tolist() == list(range(len(table)))
    assert table["status"].isin(["complete", "pruned"]).sum() == 6
    assert (table["status"] == "lost").sum() == 1 and len(table) == 7
    assert not list(files.iterdir())

"""The measures of kills, faults of the disk and damaged files: they notice what is wrong."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from benchmarks.attacks import kills
from benchmarks.attacks.doomed import PHASES, Announcer
from benchmarks.attacks.faults import attack_work
from benchmarks.attacks.flips import Target, flip
from benchmarks.attacks.hostile import (
    CHECKPOINTS,
    FILES,
    MODELS,
    RECORDS,
    SETTINGS,
    hostile_attacks,
)
from benchmarks.attacks.kills import Cell, Moment, Reference, Segment
from benchmarks.attacks.works import Work

from unwarp.errors import DataError
from unwarp.storage.files import write_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are copied as in POSIX")


def test_announced_phases_nest() -> None:
    """After a phase inside another one, the outer one is announced again."""
    names = list[str]()
    announcer = Announcer(names.append)
    write = announcer.inside("checkpoint", lambda: names.append("write"))
    announcer.begin("training", write)()
    announcer.begin("start", write)()
    one, two = names[:4], names[4:]
    assert one == ["training", "checkpoint", "write", "training"]
    assert two == ["start", "checkpoint", "write", "start"]


def test_moments_lie_in_their_phase() -> None:
    """A moment is in one of the segments of its phase, and no later than its end."""
    segments = [Segment("start", 0, 9.0), Segment("save", 0, 0.5), Segment("save", 1, 0.25)]
    reference, random = Reference({}, segments), Random(0)
    moments = [Moment.draw(reference, "save", random) for _ in range(200)]
    assert {(moment.phase, moment.turn) for moment in moments} == {("save", 0), ("save", 1)}
    assert all(moment.delay <= segments[1 + moment.turn].seconds for moment in moments)
    assert reference.phases == ("start", "save")


def test_kill_falls_in_its_phase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command is killed in the segment that was asked for; without a moment it ends."""

    def run(words: Any, announce: Any) -> int:
        for name in ("start", "save", "start", "save", "report"):
            announce(name)
            time.sleep(0.2 if name == "save" else 0.001)
        return 3

    monkeypatch.setattr("benchmarks.attacks.doomed.run_command", run)
    code, lines = kills.watch((), str(tmp_path / "log"), Moment("save", 1, 0.05))
    assert code == -9 and [phase for _, phase in lines] == ["start", "save", "start", "save"]
    assert kills.watch((), str(tmp_path / "log"))[0] == 3


def test_other_files_are_named(tmp_path: Path) -> None:
    """A file that differs, one that is absent and one too many are named."""
    for name, text in {"a": "1", "b": "2", "c": "3"}.items():
        (tmp_path / name).write_text(text)
    reference = Reference(kills.digests(tmp_path), ())
    assert kills.compare(tmp_path, reference) == ""
    (tmp_path / "a").write_text("0")
    (tmp_path / "b").rename(tmp_path / "d")
    assert kills.compare(tmp_path, reference) == "a, b, d"


def test_kills_are_counted_by_phase() -> None:
    """Each kill counts in its phase and domain, and runs that differ are listed."""
    cells = [Cell("images", "affine", ("save", "report")), Cell("series", "time", ("save",), "a")]
    result = kills.summarise(cells)
    assert result["scores"] == {"runs": 2, "equal": 1, "kills": 3, "killed_twice": 1}
    assert result["phases"]["save"] == {"images": 1, "series": 1}
    assert result["phases"].keys() == set(PHASES)
    assert result["faults"] == ["series, time, killed in save: a"]


def write_in_place(path: Path, text: str) -> None:
    """A write that destroys the old file first, as ours must not."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for part in (text[:3], text[3:]):
        os.write(descriptor, part.encode())
    os.fsync(descriptor)
    os.close(descriptor)


def test_lost_files_are_noticed() -> None:
    """A write in place loses the old file or gives tracebacks; an atomic one does neither."""
    prepare = partial(Path("table.csv").write_text, "old")
    for write, is_good in ((write_in_place, False), (write_file, True)):
        act = partial(write, Path("table.csv"), "longer than before")
        result = attack_work(Work("write", prepare, act, "table.csv", ("table.csv",)))
        assert result["refused"] == result["died"] == result["calls"] > 3
        assert (result["losses"] == 0) == (result["tracebacks"] == 0) == is_good
        assert (not result["faults"]) == is_good


def test_unnoticed_flips_are_faults(tmp_path: Path) -> None:
    """A reader without a checksum accepts other bytes; one that refuses all others does not."""
    path = tmp_path / "numbers"
    path.write_bytes(b"1234")

    def read(is_strict: bool) -> tuple[str, str]:
        content = path.read_bytes()
        if is_strict and content != b"1234":
            raise DataError(f"{path} is damaged; write it again")
        return str(content), ""

    for is_strict, n_faults in ((True, 0), (False, 8)):
        result = flip(Target(path, partial(read, is_strict), {str(b"1234"): ""}))
        assert result["fault"] == len(result["faults"]) == n_faults
        assert result["refused"] == 8 - n_faults
    assert path.read_bytes() == b"1234"


def test_hostile_folders_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every change is an attack of its own."""
    monkeypatch.chdir(tmp_path)
    labels = [attack.label for attack in hostile_attacks()]
    assert len(set(labels)) == len(labels)
    assert (
        len(labels)
        == sum(map(len, (MODELS, CHECKPOINTS, SETTINGS, RECORDS, FILES, FILES, FILES, FILES))) - 1
    )  # a run without a checkpoint starts at its first step
    assert json.loads(json.dumps(labels)) == labels

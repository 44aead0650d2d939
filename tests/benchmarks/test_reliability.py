"""The measures of reliability themselves: verdicts, mutations and mutants."""

from __future__ import annotations

import ast
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from benchmarks.attacks.fuzz import mutate_bytes, mutate_record
from benchmarks.attacks.mutants import SUBJECTS, make_mutant, places, sample_mutants
from benchmarks.attacks.verdicts import Attack, count_outcomes, judge, judge_all

from benchmarks import cells, reliability
from unwarp.errors import ConfigError

SOURCE = """
def total(x: list[int] = None, n: int = 1) -> int:
    if len(x) > n and not n == 2:
        raise ValueError(f"{n + 1} is wrong")
    print(-n)
    return sum(x) / n
"""
CHANGES = {
    "and / or",
    "comparison",
    "no call",
    "no result",
    "no sign",
    "operator",
    "other branch",
    "other number",
}


def refuse(message: str) -> Callable[[], None]:
    """A function that refuses its input with a message."""

    def act() -> None:
        raise ConfigError(message)

    return act


def warn() -> None:
    """Accept an input with a warning."""
    warnings.warn("rows 3", UserWarning, stacklevel=1)


def test_verdict_tells_outcomes_apart() -> None:
    """A refusal is typed if it names the input and the mend, and vague otherwise."""
    acts = {
        "n=-1 is negative; give a positive number": "typed",
        "n=-1 is negative": "vague",
        "it is negative; give a positive number": "vague",
    }
    for message, outcome in acts.items():
        assert judge(Attack("a", "b", refuse(message), ("n=",))).outcome == outcome
    assert judge(Attack("a", "b", lambda: 1 / 0)).outcome == "raw"
    assert judge(Attack("a", "b", lambda: None)).outcome == "silent"
    assert judge(Attack("a", "b", warn)).outcome == "warned"


def test_verdicts_outlive_hangs_and_crashes() -> None:
    """An attack that never ends, or ends the process, costs its own verdict alone."""
    acts = (lambda: time.sleep(60), lambda: os._exit(1), refuse("n=1; give 2"), lambda: None)
    attacks = [Attack("kind", str(i), act) for i, act in enumerate(acts)]
    verdicts = judge_all(attacks, 1.0)
    assert [v.label for v in verdicts] == ["0", "1", "2", "3"]
    assert [v.outcome for v in verdicts] == ["hang", "crash", "typed", "silent"]
    assert sum(count_outcomes(verdicts).values()) == 4


def test_mutations_follow_their_seed() -> None:
    """The same seed gives the same mutation, and most mutations change something."""
    content, record = bytes(range(200)), {"a": [1, {"b": 2.0}], "c": "text"}
    mutants = [[mutate_bytes(content, np.random.default_rng(i)) for i in range(50)] for _ in "ab"]
    assert mutants[0] == mutants[1] and sum(data != content for data in mutants[0]) > 40
    records = [mutate_record(record, np.random.default_rng(i)) for i in range(50)]
    assert sum(json.dumps(changed) != json.dumps(record) for changed in records) > 40
    assert record == {"a": [1, {"b": 2.0}], "c": "text"}


def test_mutants_change_behaviour_alone() -> None:
    """Each mutant differs in one place, and neither in annotations nor in texts of errors."""
    tree = ast.parse(SOURCE)
    mutants = [make_mutant("a.py", tree, place) for place in places(tree)]
    assert {mutant.change.split(":")[0] for mutant in mutants} == CHANGES
    assert len({mutant.source for mutant in mutants}) == len(mutants)
    for mutant in mutants:
        compile(mutant.source, mutant.file, "exec")
        assert "{n + 1} is wrong" in mutant.source and "list[int]=None" in mutant.source


def test_mutants_are_of_all_subjects() -> None:
    """The mutants of a measurement are the same each time, and of every file."""
    first, second = sample_mutants(60), sample_mutants(60)
    assert first == second and len({mutant.source for mutant in first}) == 60
    assert {mutant.file for mutant in first} == set(SUBJECTS)


def test_new_faults_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults that the committed result lists are no news; accepted inputs are none in a sample."""
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    outcomes = {"a": "raw", "b": "silent", "c": "hang"}
    faults = [{"label": label, "outcome": outcome} for label, outcome in outcomes.items()]
    assert reliability.new_faults("inputs", {"faults": faults}) == ["a", "c"]
    cells.write(tmp_path / "reliability/inputs.json", {"faults": faults[:2]})
    assert reliability.new_faults("inputs", {"faults": faults}) == ["c"]
    assert reliability.new_faults("fuzz", {"faults": {"reader: ValueError": {}}})
    assert not reliability.new_faults("mutants", {"scores": {}})


@pytest.mark.parametrize("part", reliability.PARTS)
def test_page_follows_from_results(part: str) -> None:
    """The page quotes the committed result of each part."""
    page = (cells.RESULTS.parents[1] / reliability.PAGE).read_text()
    mark = f"reliability-{part}"
    assert f"<!-- {mark} -->\n{reliability.words_of(part)}\n<!-- /{mark} -->" in page

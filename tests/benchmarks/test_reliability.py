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
from benchmarks.attacks.mutant_tests import SUITES, mirror_of, run_tests
from benchmarks.attacks.mutants import GROUPS, ROOT, files_of, make_mutant, places, sample_mutants
from benchmarks.attacks.verdicts import Attack, count_outcomes, judge, judge_all

from benchmarks import cells, reliability
from unwarp.errors import ConfigError

SOURCE = """
def total(x: list[int] = None, n: int = 1) -> int:
    if len(x) > n and not n == 2:
        raise ValueError(f"{n + 1} is wrong")
    print(-n)
    if n < 0:
        return None
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
    assert {mutant.label.split(": ")[2] for mutant in mutants} == CHANGES
    assert len({mutant.source for mutant in mutants}) == len(mutants)
    for mutant in mutants:
        compile(mutant.source, mutant.file, "exec")
        assert "{n + 1} is wrong" in mutant.source and "list[int]=None" in mutant.source


def test_mutants_are_of_all_groups() -> None:
    """The mutants of a seed are the same each time, and as many of each group of files."""
    first, second, other = (sample_mutants(25, seed) for seed in (0, 0, 1))
    assert first == second and not {m.label for m in first} & {m.label for m in other}
    assert len({mutant.label for mutant in first}) == len({m.source for m in first}) == 25
    for group in GROUPS:
        assert sum(mutant.file in files_of(group) for mutant in first) == 5


def test_labels_tell_mutants_apart() -> None:
    """A label has the place and not the line, so that it stays when lines are added above."""
    labels = [
        [make_mutant("a.py", ast.parse(text), place).label for place in places(ast.parse(text))]
        for text in (SOURCE, f"import os\n\n{SOURCE}")
    ]
    assert labels[0] == labels[1] and len(set(labels[0])) == len(labels[0])
    assert "a.py: total: operator: sum(x) / n -> sum(x) * n" in labels[0]


def test_subjects_have_tests() -> None:
    """Each file that is mutated has tests of its name, and each group has suites."""
    assert SUITES.keys() == GROUPS.keys()
    paths = [path for group in GROUPS for file in files_of(group) for path in mirror_of(file)]
    assert all((ROOT / path).exists() for path in (*paths, *sum(SUITES.values(), ())))


@pytest.mark.slow
def test_mutants_are_killed() -> None:
    """A wrong checksum fails its tests, and one that never returns is late."""
    path = ROOT / "src/unwarp/checksums.py"
    tests = mirror_of("checksums.py")
    fates = [
        run_tests("checksums.py", path.read_text().replace(*text), tests, seconds)[0]
        for *text, seconds in (
            ("blake2b", "blake2b", 300.0),
            ('f"list {len(value)};".encode()', 'b"list"', 300.0),
            ("total = ", "while True: pass\n    total = ", 20.0),
        )
    ]
    assert fates == ["survived", "killed", "late"]


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

"""Reliability in numbers: bad inputs and files, kills, faults of the disk, mutants, coverage.

    python -m benchmarks.reliability                  parts without a result file, then the page
    python -m benchmarks.reliability --part inputs    one part
    python -m benchmarks.reliability --part fuzz --seconds 600    each fuzzer for ten minutes
    python -m benchmarks.reliability --quick          a little of each part, written nowhere
    python -m benchmarks.reliability --table          the page alone, from the result files

Each part has one committed file in `benchmarks/results/reliability`; `docs/reliability.md` quotes
them. A result file names every input that the library does not refuse as it should.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import cells
from benchmarks.reliability_page import words_of_faults, words_of_flips, words_of_kills

FOLDER, PAGE = "reliability", "docs/reliability.md"

SECONDS: Mapping[str, float] = {"fuzz": 600, "mutants": 4 * 3600}
"""Time budget of a part; of each fuzzer for `fuzz`."""

SECONDS_OF_INPUT, SECONDS_OF_FUZZ = 8.0, 10.0
"""Longest time of one bad input, and of one mutated file."""

MUTANTS, MUTANTS_IF_QUICK = 100, 5
MUTANT_SEEDS = (0, 1, 2)
"""Seeds of the mutants; tests were written for survivors of all seeds but the last one."""

EVERY_NTH_IF_QUICK = 25
"""Share of the bad inputs that `--quick` tries."""

KILLS, KILLS_IF_QUICK = 200, 4
"""Runs that are killed."""

EVERY_NTH_CALL_IF_QUICK, EVERY_NTH_BYTE_IF_QUICK = 5, 211

SECONDS_OF_FUZZ_IF_QUICK = 60.0
FAULTS = ("raw", "hang", "crash")
Result = dict[str, Any]


def inputs(seconds: float, quick: bool = False) -> Result:
    """Outcomes of bad inputs by kind, and all that are not refused as they should be.

    Args:
        seconds: Ignored; every input is tried.
        quick: Whether to try a few of them.
    """
    from benchmarks.attacks.inputs import all_inputs
    from benchmarks.attacks.verdicts import count_outcomes, judge_all, list_faults
    from benchmarks.attacks.world import make_world

    with make_world() as world:
        attacks = all_inputs(world)[:: EVERY_NTH_IF_QUICK if quick else 1]
        verdicts = judge_all(attacks, SECONDS_OF_INPUT)
        faults = list_faults(verdicts)
    kinds = dict.fromkeys(verdict.kind for verdict in verdicts)
    by_kind = {kind: count_outcomes([v for v in verdicts if v.kind == kind]) for kind in kinds}
    scores = {"inputs": len(verdicts), **count_outcomes(verdicts)}
    return {"scores": scores, "kinds": by_kind, "faults": faults}


def fuzz(seconds: float, quick: bool = False) -> Result:
    """Outcomes of mutated files and random commands, and raw exceptions and hangs among them.

    Args:
        seconds: Time budget of each fuzzer.
        quick: Whether to stop after seconds.
    """
    from benchmarks.attacks.fuzz import fuzz as attack
    from benchmarks.attacks.verdicts import count_outcomes
    from benchmarks.attacks.world import make_world

    budget = SECONDS_OF_FUZZ_IF_QUICK if quick else seconds
    with make_world() as world:
        fuzzers = attack(world, budget, SECONDS_OF_FUZZ)
    verdicts = [verdict for part in fuzzers.values() for verdict in part]
    examples: dict[str, Result] = {}
    for verdict in (verdict for verdict in verdicts if verdict.outcome in FAULTS):
        kind = re.sub(r"0x\w+|\d+|invalid \w+ byte", "N", f"{verdict.kind}: {verdict.detail}")
        examples.setdefault(kind, {"outcome": verdict.outcome, "label": verdict.label, "n": 0})
        examples[kind]["n"] += 1
    return {
        "seconds": budget,
        "scores": {"inputs": len(verdicts), **count_outcomes(verdicts)},
        "fuzzers": {name: count_outcomes(part) for name, part in fuzzers.items()},
        "targets": dict(sorted(Counter(verdict.kind for verdict in verdicts).items())),
        "faults": examples,
    }


def kills(seconds: float, quick: bool = False) -> Result:
    """Runs that SIGKILL ended at random moments, and then equal undisturbed ones to the bit.

    Args:
        seconds: Ignored; a measurement that stops continues from its last cells.
        quick: Whether to kill a few runs.
    """
    from benchmarks.attacks.kills import attack

    return attack(KILLS_IF_QUICK, jobs=1, keep=None) if quick else attack(KILLS)


def faults(seconds: float, quick: bool = False) -> Result:
    """Outcomes of works of which each file-system call is refused, or the last one, in turn.

    Args:
        seconds: Ignored; every call is tried.
        quick: Whether to try a few calls, and to leave whole runs out.
    """
    from benchmarks.attacks.faults import attack
    from benchmarks.attacks.works import QUICK_WORKS

    return attack(QUICK_WORKS, EVERY_NTH_CALL_IF_QUICK) if quick else attack()


def flips(seconds: float, quick: bool = False) -> Result:
    """Outcomes of files with a changed byte, and of hostile folders.

    Args:
        seconds: Ignored; every byte is tried.
        quick: Whether to change a few bytes; all hostile folders are opened.
    """
    from benchmarks.attacks.flips import attack

    return attack(EVERY_NTH_BYTE_IF_QUICK) if quick else attack()


def mutants(seconds: float, quick: bool = False) -> Result:
    """Number and share of mutants that tests kill for each seed, and the survivors.

    Args:
        seconds: Time budget.
        quick: Whether to try a few mutants.
    """
    from benchmarks.attacks.mutant_tests import attack

    if quick:
        return attack(MUTANTS_IF_QUICK, seconds)
    share = seconds / len(MUTANT_SEEDS)
    seeds = {str(seed): attack(MUTANTS, share, seed) for seed in MUTANT_SEEDS}
    shares = {f"seed_{seed}": result["scores"]["share"] for seed, result in seeds.items()}
    return {"scores": shares, "seeds": seeds}


def coverage(seconds: float, quick: bool = False) -> Result:
    """Shares of lines and branches that the default suite reaches.

    Args:
        seconds: Ignored; the whole suite runs.
        quick: Whether to run the tests of one file.
    """
    from benchmarks.attacks.coverage import measure

    return measure("tests/storage/test_files.py") if quick else measure()


PARTS: Mapping[str, Callable[[float, bool], Result]] = {
    "inputs": inputs,
    "fuzz": fuzz,
    "kills": kills,
    "faults": faults,
    "flips": flips,
    "mutants": mutants,
    "coverage": coverage,
}

TITLES = {
    "typed": "refused, with what is wrong and what to do",
    "vague": "refused, without one of them",
    "warned": "accepted with a warning",
    "silent": "accepted",
    "raw": "traceback",
    "hang": "no end",
    "crash": "process ended",
}
"""Words for outcomes, in the order of the tables."""


def outcome_table(head: str, rows: Mapping[str, Mapping[str, int]]) -> str:
    """A table in Markdown with a row for each kind of input and a column for each outcome."""
    lines = [f"| {head} | inputs | {' | '.join(TITLES.values())} |", "|---" * 9 + "|"]
    for name, counts in rows.items():
        cells_of_row = [sum(counts.values()), *(counts[outcome] for outcome in TITLES)]
        lines.append(f"| {name} | {' | '.join(f'{n:,}' for n in cells_of_row)} |")
    return "\n".join(lines)


def words_of_inputs(result: Result) -> str:
    """The outcomes of bad inputs, as text of the page."""
    total = {name: n for name, n in result["scores"].items() if name != "inputs"}
    return outcome_table("kind", {**result["kinds"], "all": total})


def words_of_fuzz(result: Result) -> str:
    """The outcomes of mutated files, as text of the page."""
    table = outcome_table("fuzzer", result["fuzzers"])
    return f"{result['seconds']:g} seconds for each fuzzer:\n\n{table}"


def words_of_mutants(result: Result) -> str:
    """The share of killed mutants, as text of the page."""
    seeds: Mapping[str, Result] = result["seeds"]
    groups = list(next(iter(seeds.values()))["groups"])
    columns = ["killed", "of those that can be observed", *groups]
    lines = [f"| seed | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for seed, part in seeds.items():
        scores = part["scores"]
        n_observable = scores["mutants"] - scores["equivalent"]
        row = (
            f"{scores['killed']} of {scores['mutants']} ({scores['share']:.0%})",
            f"{scores['killed']} of {n_observable} ({scores['share_of_others']:.0%})",
            *part["groups"].values(),
        )
        lines.append(f"| {seed} | {' | '.join(row)} |")
    return "\n".join(lines)


def words_of_coverage(result: Result) -> str:
    """Shares of lines and branches, as text of the page."""
    scores = result["scores"]
    return (
        f"The default suite reaches {scores['lines']:.1f} % of the lines and "
        f"{scores['branches']:.1f} % of the branches."
    )


WORDS: Mapping[str, Callable[[Result], str]] = {
    "inputs": words_of_inputs,
    "fuzz": words_of_fuzz,
    "kills": words_of_kills,
    "faults": words_of_faults,
    "flips": words_of_flips,
    "mutants": words_of_mutants,
    "coverage": words_of_coverage,
}


def words_of(part: str) -> str:
    """The result of a part as text of the page; a part without a result says so."""
    path = cells.RESULTS / FOLDER / f"{part}.json"
    return WORDS[part](json.loads(path.read_text())) if path.is_file() else "Not measured yet."


def table() -> None:
    """Quote the results of all parts in the page."""
    for part in PARTS:
        cells.quote(f"reliability-{part}", words_of(part), PAGE)


def new_faults(part: str, result: Result) -> list[str]:
    """Faults of a result, of inputs the tracebacks and worse, that the committed one lacks.

    Args:
        part: Name of the part.
        result: A result of the same part, whole or quick.

    Returns:
        Labels of bad inputs, kinds of faults that fuzzers met, or faults in words.
    """
    path = cells.RESULTS / FOLDER / f"{part}.json"
    before = json.loads(path.read_text()) if path.is_file() else {}
    return sorted(_faults(result) - _faults(before))


def _faults(result: Result) -> set[str]:
    faults = result.get("faults", {})
    if isinstance(faults, dict):
        return set(faults)
    texts = {fault for fault in faults if isinstance(fault, str)}
    records = [fault for fault in faults if not isinstance(fault, str)]
    return texts | {fault["label"] for fault in records if fault["outcome"] in FAULTS}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument("--seconds", type=float, help="time budget of a part, or of each fuzzer")
    parser.add_argument("--again", action="store_true", help="run parts that have a result, too")
    parser.add_argument("--table", action="store_true", help="rebuild the page alone")
    parser.add_argument("--quick", action="store_true", help="a little, written nowhere")
    options = parser.parse_args()
    parts = options.part or tuple(PARTS)
    for part in [] if options.table else parts:
        seconds = options.seconds or SECONDS.get(part, 0)
        if options.quick:
            result = PARTS[part](seconds, True)
            print(part, result["scores"], flush=True)
            if faults := new_faults(part, result):
                raise SystemExit(f"{part}: faults that the result file does not list: {faults}")
        else:
            work = lambda part=part, seconds=seconds: PARTS[part](seconds, False)  # noqa: E731
            cells.run(FOLDER, part, work, again=options.again or bool(options.part))
    if not options.quick:
        table()


if __name__ == "__main__":
    main()

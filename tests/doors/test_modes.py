"""Modes crossed: domain, missing values, scale, warp, lengths, channels, and the report.

All pairs of modes occur in at least one case (pairwise covering). The default suite trains every
case for two steps and writes one report a domain; all other reports are slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.app.job import Job, start_job
from unwarp.app.outcome import Outcome
from unwarp.app.report import page, sections
from unwarp.app.report.illustrations import Illustration, Plot, illustrate
from unwarp.app.report.page import write_report
from unwarp.app.run import execute
from unwarp.planning.plan import Request

Mode = Mapping[str, Any]

MODES: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "image": {
        "warp": ("auto", "identity", "similarity", "rigid", "displacement+affine"),
        "scale": ("auto", None),
        "recipe": (None, "vae", "gan"),
        "channels": (1, 3),
    },
    "series": {
        "warp": ("auto", "identity", "time", "time-spline", "time-shift", "time+gain"),
        "scale": ("auto", "channel", "each", None),
        "missing": ("error", "interpolate", "mask"),
        "lengths": ("equal", "unequal", "times"),
        "channels": (1, 2),
        "recipe": (None, "vae"),
    },
}
"""Modes of each domain that a user can combine."""


def pairs(case: Mode) -> set[frozenset[tuple[str, Any]]]:
    """All pairs of settings in a case."""
    return {frozenset(pair) for pair in combinations(case.items(), 2)}


def covering(modes: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Cases that hold every pair of settings; each adds as many new pairs as any can."""
    cases = [dict(zip(modes, values, strict=True)) for values in product(*modes.values())]
    missing = set().union(*map(pairs, cases))
    while missing:
        case = max(cases, key=lambda case: len(pairs(case) & missing))
        missing -= pairs(case)
        yield case


CASES = [{"domain": domain, **case} for domain, modes in MODES.items() for case in covering(modes)]
FIRST = {domain: next(case for case in CASES if case["domain"] == domain) for domain in MODES}
REST = [case for case in CASES if case not in FIRST.values()]


def name(case: Mode) -> str:
    """The settings of a case in one word."""
    return "-".join(str(value) for value in case.values())


def samples(case: Mode) -> dict[str, Any]:
    """Samples of a case as arrays of a file: 24 images or series, with labels."""
    rng, n = np.random.default_rng(0), 24
    labels = np.arange(n) % 2
    if case["domain"] == "image":
        x = pictures(n, case["channels"])[:, :, 2:18, 2:18]
        return {"x": x / 255 if case["scale"] is None else x, "labels": labels}
    x = np.sin(np.linspace(0, 6, 24) + rng.uniform(0, 1, (n, case["channels"], 1)))
    x = 0.5 + 0.3 * x * (1 - labels[:, None, None] / 2)
    if case["missing"] != "error":
        x[::3, :, 5:8] = np.nan
    arrays = {"x": x, "labels": labels}
    if case["lengths"] == "equal":
        return arrays
    lengths = rng.integers(18, 25, n)
    if case["lengths"] == "times":
        arrays["times"] = np.sort(rng.uniform(0, 3, (n, 24)), 1)
    return arrays | {"lengths": lengths}


def settings(case: Mode) -> dict[str, Any]:
    """Arguments of `Unwarper` for a case."""
    reading = {key: case[key] for key in ("domain", "scale", "missing") if key in case}
    return {**reading, "max_steps": 2, "n_clusters": 2, "device": "cpu"}


def run(case: Mode, folder: Path) -> Outcome:
    """The run of a case in a folder."""
    np.savez(folder / "data.npz", **samples(case))
    request = Request(recipe=case["recipe"], warp=case["warp"])
    start_job(Job(str(folder / "data.npz"), request, settings(case)), folder / "run")
    return execute(folder / "run", lambda message: None)


@pytest.fixture(scope="module", params=FIRST)
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The run of the first case of each domain."""
    return run(FIRST[request.param], tmp_path_factory.mktemp("modes"))


@pytest.mark.parametrize("case", CASES, ids=name)
def test_modes_combine(case: Mode, tmp_path: Path) -> None:
    """Any modes together: samples are learned, aligned and reconstructed to finite values."""
    np.savez(tmp_path / "data.npz", **samples(case))
    options = settings(case) | {"warp": case["warp"], "recipe": case["recipe"]}
    model = Unwarper(**options).fit(tmp_path / "data.npz")
    source = model.parse(tmp_path / "data.npz")
    assert np.isfinite(model.transform(source)).all()
    assert np.isfinite(model.transform_params(source).to_numpy()).all()
    assert np.isfinite(model.template(source)).all() and len(model.predict(source)) == 24
    assert len(model.reconstruct(source)) == len(model.align(source)) == 24
    assert np.isfinite(model.score(source))


def test_modes_end_in_a_report(outcome: Outcome, tmp_path: Path) -> None:
    """One case of each domain ends in a report with every figure."""
    assert "could not be drawn" not in write_report(outcome, tmp_path).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=name)
def test_all_modes_end_in_a_report(case: Mode, tmp_path: Path) -> None:
    """Every other case ends in a report with every figure, too."""
    page = write_report(run(case, tmp_path), tmp_path)
    assert "could not be drawn" not in page.read_text()


def test_any_figure_may_fail(
    outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever figure fails, the page names it with the error and keeps all others."""
    names: list[str] = []

    def record(plot: Plot, outcome: Outcome) -> Illustration:
        names.append(plot.name)
        return Illustration(plot.name, "", b"GIF89a")

    sections.sections(outcome, record)
    for broken in tuple(names):

        def fail(outcome: Outcome) -> None:
            raise ZeroDivisionError("no luck")

        def draw(plot: Plot, outcome: Outcome, broken: str = broken) -> Illustration | None:
            if plot.name == broken:
                return illustrate(Plot(plot.name, fail, plot.caption), outcome)
            return Illustration(plot.name, "", b"GIF89a")

        parts = sections.sections(outcome, draw)
        monkeypatch.setattr(page, "sections", lambda outcome, parts=parts: parts)
        text = write_report(outcome, tmp_path).read_text()
        assert f"“{broken}” could not be drawn: ZeroDivisionError: no luck" in text
        assert text.count("<img") == len(names) - 1


def test_covering_holds_all_pairs() -> None:
    """The cases hold every pair of settings of a domain, in far fewer cases than the product."""
    for domain, modes in MODES.items():
        cases = [case for case in CASES if case["domain"] == domain]
        held = set().union(*map(pairs, cases))
        for (first, left), (second, right) in combinations(modes.items(), 2):
            for pair in product(left, right):
                assert frozenset(zip((first, second), pair, strict=True)) in held
        assert len(cases) < np.prod([len(values) for values in modes.values()]) / 2

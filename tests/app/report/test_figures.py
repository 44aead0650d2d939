"""The figures of a report: each family and each kind of data gets those that it has something to show for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.pictures import pictures
from unwarp import AE, GAN, VAE, Affine2d, CosineTime, Identity
from unwarp.analysis.scoring import Report
from unwarp.app.job import Job, start_job
from unwarp.app.outcome import Outcome
from unwarp.app.report import figures, series_figures, shown
from unwarp.app.report.page import html
from unwarp.app.run import execute
from unwarp.models import Net, Recipe
from unwarp.models.codec import describe
from unwarp.planning.plan import Request
from unwarp.plots import training

SMALL = Net("mlp", (16,), (16,))


def outcome(x: np.ndarray, recipe: Recipe, place: Path) -> Outcome:  # type: ignore[type-arg]
    np.save(place / "x.npy", x)
    job = Job(str(place / "x.npy"), Request(describe(recipe)), {"max_steps": 4, "device": "cpu", "batch_size": 8})
    start_job(job, place / "run")
    return execute(place / "run", lambda words: None)


def spread(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Codes (N, 3) of three kinds, each long along its own direction, and the kinds."""
    random = np.random.default_rng(seed)
    kinds = np.repeat([2, 0, 1], [2 * n, n, n])
    codes = 0.01 * random.normal(size=(4 * n, 3)) + 10 * np.eye(3)[kinds]
    codes[np.arange(4 * n), (kinds + 1) % 3] += np.linspace(-1, 1, 4 * n)
    return codes, kinds


def row_names(figure: Figure) -> list[str]:
    return [axis.get_ylabel() for axis in figure.axes]


@pytest.fixture(scope="module")
def variational(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    recipe = VAE(warp=Affine2d(), n_content=10, net=SMALL)
    return outcome(pictures(30)[:, 0], recipe, tmp_path_factory.mktemp("vae"))


def test_a_family_with_a_prior_shows_rates_and_both_kinds_of_samples(variational: Outcome) -> None:
    drawn = figures.draw(variational)
    assert {"prior", "mixture", "traversal", "deformation", "interpolation", "deformations"} <= set(drawn)
    rows = row_names(drawn["traversal"])
    assert len(rows) == shown.ROWS
    rates = [float(row.split("KL ")[1].removesuffix(" nats")) for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert row_names(drawn["deformation"])[0] == "rotation (deg)"
    assert len(drawn["prior"].axes[0].images) == shown.DRAWN


def test_what_moves_starts_and_ends_as_the_interpolation_does(variational: Outcome) -> None:
    frames = figures.moving_pictures(variational)["moving"]
    assert frames.ndim == 4 and frames.dtype == np.uint8
    assert not np.array_equal(frames[0], frames[-1])


def test_series_without_a_warp_have_no_deformation_to_show(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 24)).cumsum(1)
    drawn = figures.draw(outcome(x, AE(warp=Identity(), n_content=3, net=SMALL), tmp_path))
    assert not {"deformation", "deformations", "warps", "prior"} & set(drawn)
    assert {"alignment", "traversal", "interpolation", "mixture"} <= set(drawn)
    assert len(drawn["traversal"].axes[0].lines) == 9


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run on series of two channels in two classes, one of which is upside down, with ten samples a second."""
    x = np.random.default_rng(0).normal(size=(30, 2, 24)).cumsum(2)
    labels = np.arange(30) % 2
    place = tmp_path_factory.mktemp("time")
    np.savez(place / "x.npz", x=x * (2 * labels[:, None, None] - 1), labels=labels)
    recipe = AE(warp=CosineTime(3, sampling_rate=10.0), n_content=3, net=SMALL, views=0.0)
    job = Job(str(place / "x.npz"), Request(describe(recipe)), {"domain": "series", "max_steps": 4, "device": "cpu"})
    start_job(job, place / "run")
    return execute(place / "run", lambda words: None)


def test_series_with_a_warp_show_how_they_were_hurried(hurried: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_figures, "find_spec", lambda name: None)
    drawn = figures.draw(hurried)
    assert {"alignment", "warps", "deformation", "deformations", "interpolation", "mixture"} <= set(drawn)
    assert not {"arithmetic", "clusters", "averages"} & set(drawn)
    assert drawn["warps"].axes[0].get_xlabel() == "observed time (s)"
    assert drawn["warps"].axes[0].get_xlim()[1] == pytest.approx(2.3)
    every = [len(axis.lines) - 1 for axis in drawn["alignment"].axes[::4]]
    assert sum(every) == 30, "few are held out, so all are shown"
    assert [name.split("\n")[0] for name in row_names(drawn["deformation"])][:1] == ["direction 1"]
    assert row_names(drawn["gallery"])[:2] == ["observed", "aligned"]


def test_the_first_direction_holds_most_of_what_was_found(hurried: Outcome) -> None:
    figure = series_figures._ways(hurried.warped.unwarper.model_, hurried.warped.embedding)
    shares = [float(name.split("\n")[1].rstrip("%")) for name in row_names(figure)]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 101


def test_the_report_of_series_compares_raw_and_aligned(hurried: Outcome) -> None:
    page = html(hurried, dict.fromkeys(("alignment", "warps"), b"png"))
    assert "<th>raw series</th><th>aligned</th>" in page
    assert "nearest neighbour (1-NN)" in page and "pixels" not in page
    assert "All 30 series, since few are held out" in page
    assert "With 3 samples, no score is more exact than 33%" in page
    assert "nan" not in page
    assert len(hurried.warped.unwarper.cluster_centers_) == 2


def test_scores_of_series_are_those_of_the_arrays_that_a_user_gets(hurried: Outcome) -> None:
    unwarper, scores = hurried.warped.unwarper, hurried.warped.report.scores
    undo = unwarper.schema_.scaler.undo
    seen, held = (undo(part.x.numpy()) for part in (hurried.training, hurried.test))
    flat = [unwarper.align(x).reshape(len(x), -1) for x in (seen, held)]
    nearest = np.linalg.norm(flat[1][:, None] - flat[0], axis=2).argmin(1)
    assert hurried.training.labels is not None
    assert scores["aligned_1nn"] == pytest.approx(np.mean(hurried.training.labels[nearest] == hurried.test.labels))
    assert {f"raw_{name}" for name in ("1nn", "centroid", "acc", "nmi")} == set(hurried.baselines.scores)
    assert "codes_1nn" in hurried.baseline.report.scores and "aligned_1nn" not in hurried.baseline.report.scores
    waves = {name for name in scores if name.startswith("at_bounds_wave")}
    assert len(waves) == 3, "bounds are those of the warp's own columns"


@pytest.mark.slow
def test_templates_stand_beside_barycenters_where_there_are_such(hurried: Outcome) -> None:
    pytest.importorskip("tslearn", reason="tslearn is not installed", exc_type=ImportError)
    drawn = figures.draw(hurried)["averages"]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["template", "DBA", "soft-DTW", "mean"]


def test_true_maps_of_series_are_held_against_the_found_ones(tmp_path: Path) -> None:
    recipe = AE(warp=CosineTime(3), n_content=3, net=SMALL, views=0.0)
    start_job(Job("bumps", Request(describe(recipe)), {"max_steps": 2, "device": "cpu"}), tmp_path / "run")
    found = execute(tmp_path / "run", lambda words: None)
    page = html(found, {})
    assert "Recovered against true deformation" in page and "of the length" in page and "object's place" not in page
    assert "recovery" not in series_figures._of_series(found)


def test_an_analogy_adds_what_tells_the_ends_of_the_largest_kind_apart() -> None:
    codes, kinds = spread(30)
    chosen = figures._analogy(codes, kinds)
    assert chosen is not None
    plus, minus, to = chosen
    assert set(kinds[plus]) == set(kinds[minus]) == {2}
    assert list(kinds[to]) == [0, 1]
    assert len(plus) == len(minus) == 6
    difference = codes[plus].mean(0) - codes[minus].mean(0)
    assert abs(difference[0]) > 10 * np.abs(difference[1:]).max()
    middle = [codes[kinds == kind].mean(0) for kind in (0, 1)]
    np.testing.assert_allclose(codes[to], middle, atol=0.1)


def test_there_is_no_analogy_without_other_kinds_or_with_too_few_samples() -> None:
    codes, kinds = spread(30)
    assert figures._analogy(codes, np.zeros_like(kinds)) is None
    assert figures._analogy(codes[:5], np.array([0, 0, 0, 0, 1])) is None


def test_the_report_of_a_game_shows_the_game(tmp_path: Path) -> None:
    found = outcome(pictures(30)[:, 0], GAN(warp=Affine2d(), n_content=3, net=SMALL), tmp_path)
    drawn = figures.draw(found)["training"]
    titles = [axis.get_title() for axis in drawn.axes]
    assert titles == list(training.GAME)
    rows = found.warped.unwarper.history_.rows
    real, fake = drawn.axes[0].lines[:2]
    np.testing.assert_allclose(real.get_ydata(), [row["critic.real"] for row in rows])
    np.testing.assert_allclose(fake.get_ydata(), [row["critic.fake"] for row in rows])
    assert all(len(axis.lines) >= 2 for axis in drawn.axes)
    page = html(found, {"training": b"png"})
    assert "sigmoid of the critic" in page and "Reconstruction term" not in page
    assert "saw only generated samples" in html(found, {"gallery": b"png"})


def test_other_families_show_their_reconstruction(variational: Outcome) -> None:
    assert "reconstruction" in figures.draw(variational)["training"].axes[0].get_ylabel()
    assert "Reconstruction term of the training loss" in html(variational, {"training": b"png"})


def test_an_error_above_that_of_the_mean_is_no_success(variational: Outcome) -> None:
    for explained, good in ((-0.5, False), (0.5, True)):
        changed = {"explained": explained, "reconstruction_error": 0.0}
        scores = dict(variational.warped.report.scores) | changed
        warped = replace(variational.warped, report=Report(scores, {}))
        page = html(replace(variational, warped=warped), {})
        assert ("greater than that of their mean" in page) != good
        assert ('good">good</span> On held-out samples the squared error' in page) == good

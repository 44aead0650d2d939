"""The figures of a report: each family and each kind of data gets those that it has something to show for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.test_estimators import pictures
from unwarp import AE, GAN, VAE, Affine2d, CosineTime, Identity, figures, report, runs
from unwarp.checkpoints import describe
from unwarp.evaluation import Report
from unwarp.models import Net, Recipe

SMALL = Net("mlp", (16,), (16,))


def outcome(x: np.ndarray, recipe: Recipe, place: Path) -> runs.Outcome:  # type: ignore[type-arg]
    np.save(place / "x.npy", x)
    job = runs.Job(str(place / "x.npy"), describe(recipe), steps=4, device="cpu", batch_size=8)
    runs.start(job, place / "run")
    return runs.execute(place / "run", lambda words: None)


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
def variational(tmp_path_factory: pytest.TempPathFactory) -> runs.Outcome:
    recipe = VAE(warp=Affine2d(), n_content=10, net=SMALL)
    return outcome(pictures(30)[:, 0], recipe, tmp_path_factory.mktemp("vae"))


def test_a_family_with_a_prior_shows_rates_and_both_kinds_of_samples(variational: runs.Outcome) -> None:
    drawn = figures.draw(variational)
    assert {"prior", "mixture", "traversal", "deformation", "interpolation", "deformations"} <= set(drawn)
    rows = row_names(drawn["traversal"])
    assert len(rows) == figures.ROWS
    rates = [float(row.split("KL ")[1].removesuffix(" nats")) for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert row_names(drawn["deformation"])[0] == "rotation (deg)"
    assert len(drawn["prior"].axes[0].images) == figures.DRAWN


def test_what_moves_starts_and_ends_as_the_interpolation_does(variational: runs.Outcome) -> None:
    frames = figures.moving_pictures(variational)["moving"]
    assert frames.ndim == 4 and frames.dtype == np.uint8
    assert not np.array_equal(frames[0], frames[-1])


def test_series_without_a_warp_have_no_deformation_to_show(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 24)).cumsum(1)
    drawn = figures.draw(outcome(x, AE(warp=Identity(), n_content=3, net=SMALL), tmp_path))
    assert not {"deformation", "deformations", "prior"} & set(drawn)
    assert {"traversal", "interpolation", "mixture"} <= set(drawn)
    assert len(drawn["traversal"].axes[0].lines) == 9


def test_series_with_a_warp_show_how_they_were_hurried(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 24)).cumsum(1)
    drawn = figures.draw(outcome(x, AE(warp=CosineTime(3), n_content=3, net=SMALL, views=0.0), tmp_path))
    assert {"deformation", "deformations", "interpolation", "mixture"} <= set(drawn)


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
    assert titles == list(figures.GAME)
    rows = found.structured.unwarper.history_.rows
    real, fake = drawn.axes[0].lines[:2]
    np.testing.assert_allclose(real.get_ydata(), [row["critic.real"] for row in rows])
    np.testing.assert_allclose(fake.get_ydata(), [row["critic.fake"] for row in rows])
    assert all(len(axis.lines) >= 2 for axis in drawn.axes)
    page = report.html(found, {"training": b"png"})
    assert "sigmoid of the critic" in page and "Reconstruction term" not in page
    assert "saw only generated samples" in report.html(found, {"gallery": b"png"})


def test_other_families_show_their_reconstruction(variational: runs.Outcome) -> None:
    assert "reconstruction" in figures.draw(variational)["training"].axes[0].get_ylabel()
    assert "Reconstruction term of the training loss" in report.html(variational, {"training": b"png"})


def test_an_error_above_that_of_the_mean_is_no_success(variational: runs.Outcome) -> None:
    for explained, good in ((-0.5, False), (0.5, True)):
        changed = {"explained": explained, "reconstruction_error": 0.0}
        scores = dict(variational.structured.report.scores) | changed
        structured = replace(variational.structured, report=Report(scores, {}))
        page = report.html(replace(variational, structured=structured), {})
        assert ("greater than that of their mean" in page) != good
        assert ('good">good</span> On held-out samples the squared error' in page) == good

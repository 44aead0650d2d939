"""Figures that reports of images have."""

from __future__ import annotations

import numpy as np

from unwarp.app.outcome import Outcome
from unwarp.app.report.image_figures import analogy_rows, deformation, recovery
from unwarp.core import Array


def kinds_of_codes(n: int) -> tuple[Array, Array]:
    """Codes (4 n, 3) of three kinds, each long along its own direction, and the kinds."""
    random = np.random.default_rng(0)
    kinds = np.repeat([2, 0, 1], [2 * n, n, n])
    codes = 0.01 * random.normal(size=(4 * n, 3)) + 10 * np.eye(3)[kinds]
    codes[np.arange(4 * n), (kinds + 1) % 3] += np.linspace(-1, 1, 4 * n)
    return codes, kinds


def test_deformation_has_units(image_run: Outcome) -> None:
    """The factors of the warp are named with their unit."""
    figure = deformation(image_run)
    assert figure is not None
    assert figure.axes[0].get_ylabel() == "rotation (deg)"


def test_recovery_needs_true_maps(image_run: Outcome) -> None:
    """Without true maps there is nothing to compare with."""
    assert recovery(image_run) is None


def test_analogy_joins_ends_of_largest_kind() -> None:
    """Plus and minus are ends of the largest kind; the others are typical of their kind."""
    codes, kinds = kinds_of_codes(30)
    rows = analogy_rows(codes, kinds)
    assert rows is not None
    plus, minus, to = rows
    assert set(kinds[plus]) == set(kinds[minus]) == {2}
    assert list(kinds[to]) == [0, 1]
    assert len(plus) == len(minus) == 6
    difference = codes[plus].mean(0) - codes[minus].mean(0)
    assert abs(difference[0]) > 10 * np.abs(difference[1:]).max()
    means = [codes[kinds == kind].mean(0) for kind in (0, 1)]
    np.testing.assert_allclose(codes[to], means, atol=0.1)


def test_analogy_needs_two_kinds() -> None:
    """One kind alone, or too few samples of it, make no analogy."""
    codes, kinds = kinds_of_codes(30)
    assert analogy_rows(codes, np.zeros_like(kinds)) is None
    assert analogy_rows(codes[:5], np.array([0, 0, 0, 0, 1])) is None

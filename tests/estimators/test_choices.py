"""Selected warps: their words, their thresholds and their records."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest

from unwarp.estimators.choices import (
    CHOICES_OF_DOMAIN,
    WORDS_OF_CHOICE,
    Selection,
    agrees,
    is_needed_beyond_lags,
)
from unwarp.planning.presets import SHARP


def test_selection_survives_json() -> None:
    """It comes back equal, and says in words what was measured."""
    selection = Selection("sharp", (30.0, 40.0), {"smooth": (0.4, 0.5), "sharp": (0.2, 0.3)})
    assert Selection.of(json.loads(json.dumps(asdict(selection)))) == selection
    assert selection.recipe == SHARP
    assert str(selection).startswith(
        "a sharp warp of time: a warp saves 35 nats per held-out series (30 to 40 in 2 folds), and "
        "10 are required"
    )
    assert "leaves 45% of their variance unexplained, the sharp warp 25%" in str(selection)
    shift = Selection("shift", (), {"shift": (0.4,), "sharp": (0.3,)}, lag_ratio=8.0)
    assert Selection.of(json.loads(json.dumps(asdict(shift)))) == shift
    assert str(shift).startswith(
        "lags: lags explain 8 times as much of held-out series; lags leave"
    )
    smooth = Selection("smooth", (30.0,), {"smooth": (0.4,), "sharp": (0.2,)}, (math.log(1.2),))
    assert Selection.of(json.loads(json.dumps(asdict(smooth)))) == smooth
    assert str(smooth).endswith(
        "the sharp warp 20% and brings them closer to other series by a factor of 1.2"
    )


@pytest.mark.parametrize("domain", CHOICES_OF_DOMAIN)
def test_choices_have_recipes_and_words(domain: str) -> None:
    """Each choice has a recipe, with a warp unless it is `none`, and begins its sentence."""
    for choice, recipe in CHOICES_OF_DOMAIN[domain].items():
        selection = Selection(choice, (12.0,), domain=domain)
        assert selection.recipe == recipe
        assert bool(recipe.warp.factors) == (choice != "none")
        assert str(selection).startswith(WORDS_OF_CHOICE.get(choice, "no warp"))


def test_thresholds_need_large_gains() -> None:
    """A gain must be large and significant; a smooth warp must explain a quarter beyond lags."""
    assert agrees(0.03, 0.009) and not agrees(0.03, 0.011) and not agrees(0.01, 0.0)
    assert is_needed_beyond_lags(0.4, 0.3) and not is_needed_beyond_lags(0.4, 0.31)

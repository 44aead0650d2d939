"""The contract of refinements, for all that are registered."""

from __future__ import annotations

from typing import get_args

from unwarp.core import RefineName
from unwarp.models import picture_refine, refine
from unwarp.models.refinement import Refinement


def test_choices_are_refinements() -> None:
    """Users can name every refinement, and nothing else but `auto` and `none`."""
    assert set(get_args(RefineName)) == {"auto", "none", *Refinement.registry}
    assert Refinement.registry["band"] is refine.BandRefinement
    assert Refinement.registry["gauss-newton"] is picture_refine.GaussNewton

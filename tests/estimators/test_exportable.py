"""Steps that no graph can hold are refused, with the way to do without them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.estimators.exported import NET, fitted, series
from unwarp import AE, Unwarper
from unwarp.errors import ConfigError
from unwarp.estimators.export_graph import FUNCTIONS
from unwarp.estimators.exportable import check_exportable, functions_of
from unwarp.warps import TimeShift


def trained(X: Any, recipe: AE | None = None, **arguments: Any) -> Unwarper:
    """A model of one step."""
    recipe = recipe or AE(warp=TimeShift(), net=NET, n_content=3)
    options = {"refine": "none", "n_clusters": 2, "max_steps": 1} | arguments
    return Unwarper(recipe=recipe, **options).fit(X)


def ragged() -> list[Any]:
    """Series of several lengths."""
    return [x[0, : 30 + i % 3] for i, x in enumerate(series())]


def with_gap() -> Any:
    """Series with a missing value."""
    X = series()
    X[0, 0, 10] = np.nan
    return X


CASES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "gaps": (with_gap, {"missing": "mask"}, "complete series"),
    "clock": (ragged, {"lengths": "clock"}, "complete series"),
    "stretch": (ragged, {"lengths": "stretch"}, "one length"),
    "level": (series, {"scale": "level"}, "scale='each'"),
    "search": (series, {"start": "search"}, "start='learned'"),
    "elastic": (series, {"content": "elastic"}, r"functions=\('pose', 'align'\)"),
}
"""Samples and arguments of a model that cannot be exported whole, and the mend."""


@pytest.mark.parametrize("case", CASES)
def test_steps_without_graph_are_refused(case: str) -> None:
    """The message names what to train instead, or what to leave out."""
    samples, arguments, mend = CASES[case]
    unwarper = trained(samples(), **arguments)
    with pytest.raises(ConfigError, match=mend):
        check_exportable(unwarper, FUNCTIONS)


def test_elastic_models_have_poses() -> None:
    """Poses and aligned series do not need the codes."""
    check_exportable(trained(series(), content="elastic"), ("pose", "align"))


def test_refinement_is_refused_unless_asked() -> None:
    """A model with a refinement is exported without it only if the user says so."""
    unwarper, _ = fitted("shift")
    unwarper.refinement_ = SimpleNamespace()  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="refine='none'"):
        check_exportable(unwarper, ("pose",))
    check_exportable(unwarper, ("pose",), refine="none")


def test_functions_have_an_order() -> None:
    """Names are sorted, and all functions are the default."""
    unwarper, _ = fitted("shift")
    assert functions_of(unwarper) == FUNCTIONS
    assert functions_of(unwarper, ["embed", "pose"]) == ("pose", "embed")


@pytest.mark.parametrize("functions", [(), ("poses",)])
def test_other_functions_are_refused(functions: tuple[str, ...]) -> None:
    """None, and unknown ones."""
    with pytest.raises(ConfigError, match="functions="):
        functions_of(fitted("shift")[0], functions)


def test_models_without_warp_have_no_pose() -> None:
    """Three functions remain, and the fourth is refused."""
    unwarper = trained(series()[:, 0], AE(net=NET, n_content=3), warp="identity")
    assert functions_of(unwarper) == FUNCTIONS[1:]
    with pytest.raises(ConfigError, match="needs a warp"):
        functions_of(unwarper, ("pose",))

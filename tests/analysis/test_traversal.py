"""Latent traversals: their start, their order, and the units on their axes."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from tests.analysis.random_models import (
    CHAIN,
    SMALL,
    X,
    constant_decoder,
    random_model,
    reconstruct,
)
from tests.pictures import centre_of_mass, dot
from unwarp.analysis.traversal import (
    grid_over,
    invertible_columns,
    traverse,
    traverse_deformation,
)
from unwarp.core import Factor
from unwarp.errors import ConfigError, DataError
from unwarp.models import AE, VAE, Net
from unwarp.warps import Affine2d, Displacement2d, Identity, Rigid2d, Similarity2d, warp_named


def test_rows_are_sorted_by_rate() -> None:
    """Rows of a stochastic encoder are sorted by rate, with steps of the prior."""
    model = random_model(VAE)
    walk = traverse(model, X)
    with torch.no_grad():
        q = model.encode(X)
    assert q.content_log_sd is not None
    rate = kl_divergence(Normal(q.content_mean, q.content_log_sd.exp()), Normal(0.0, 1.0)).mean(0)
    torch.testing.assert_close(walk.row_scores, rate.sort(descending=True).values)
    order = [int(axis.name.removeprefix("content_")) for axis in walk.axes]
    assert order == rate.argsort(descending=True).tolist()
    assert walk.labels[0] == f"content {order[0]}\nKL {rate.max():.2f} nats"
    code = q.content_mean.mean(0) + 2.0 * torch.eye(4)[order[0]]
    torch.testing.assert_close(walk.x[0, -1:], model.template(code[None]), atol=1e-5, rtol=0)


def test_rows_are_sorted_by_sd() -> None:
    """Rows of a deterministic encoder are sorted by the deviation of the codes."""
    model = random_model()
    codes = reconstruct(model, X)[0].content
    walk = traverse(model, X, span=1.5, n=3)
    torch.testing.assert_close(
        walk.row_scores, codes.std(0, correction=0).sort(descending=True).values
    )
    first = int(walk.axes[0].name.removeprefix("content_"))
    code = codes.mean(0) - 1.5 * torch.eye(4)[first] * walk.row_scores[0]
    torch.testing.assert_close(walk.x[0, :1], model.template(code[None]), atol=1e-5, rtol=0)
    assert walk.labels[0].endswith(f"sd {walk.row_scores[0]:.2f}")
    assert walk.values.tolist() == [[-1.5, 0.0, 1.5]] * 4


@pytest.mark.parametrize("index", [None, 3])
def test_middle_is_the_start(index: int | None) -> None:
    """The middle of each row is the template of the start."""
    model = random_model()
    codes = reconstruct(model, X)[0].content
    start = codes.mean(0) if index is None else codes[index]
    middle = traverse(model, X, index=index, n=5).x[:, 2]
    torch.testing.assert_close(
        middle, model.template(start[None]).expand_as(middle), atol=1e-5, rtol=0
    )


def test_deformations_have_units_and_signs() -> None:
    """Values are degrees, factors and pixels, with the signs of the convention."""
    model = AE(warp=Affine2d(shift=0.5), n_content=2, net=SMALL).build((1, 40, 40)).eval()
    with constant_decoder(model, dot((40, 40), (0.3, 0.0), sd=0.08)):
        walk = traverse_deformation(model, torch.zeros(2), 5)
    rows = {
        axis.name: (values, centre_of_mass(x) * 20)
        for axis, values, x in zip(walk.axes, walk.values, walk.x, strict=True)
    }
    names = "rotation_deg scale_x scale_y shear_deg shift_x_px shift_y_px"
    assert list(rows) == names.split()
    values, centre = rows["rotation_deg"]
    torch.testing.assert_close(values, torch.linspace(-45, 45, 5))
    torch.testing.assert_close(
        torch.atan2(-centre[:, 1], centre[:, 0]).rad2deg(), values, atol=0.5, rtol=0
    )
    values, centre = rows["shift_x_px"]
    torch.testing.assert_close(values, torch.linspace(-10, 10, 5))
    torch.testing.assert_close(centre[:, 0], 6 + values, atol=0.05, rtol=0)
    values, centre = rows["scale_x"]
    torch.testing.assert_close(values[[0, 2, 4]], torch.tensor([1 / 1.6, 1.0, 1.6]))
    torch.testing.assert_close(centre[:, 0], 6 * values, atol=0.05, rtol=0)
    assert walk.labels[0] == "rotation (deg)"


def test_middle_of_deformation_is_template() -> None:
    """The middle of each row of deformations is the template."""
    model = random_model()
    content = torch.ones(1, 4)
    walk = traverse_deformation(model, content, 3)
    assert len(walk.axes) == 6
    torch.testing.assert_close(
        walk.x[:, 1], model.template(content).expand(6, -1, -1, -1), atol=1e-4, rtol=0
    )


def test_equal_columns_share_a_name() -> None:
    """Human columns of one parameter become one row under their common name."""
    names = [
        axis.name
        for axis in traverse_deformation(random_model(warp=Similarity2d()), torch.zeros(4)).axes
    ]
    assert names == ["rotation_deg", "scale", "shift_x_px", "shift_y_px"]


def test_ambiguous_columns_label_no_row() -> None:
    """A human column that several parameters change labels none of them."""
    model = AE(warp=warp_named("time"), n_content=2, net=SMALL).build((1, 32)).eval()
    walk = traverse_deformation(model, torch.zeros(2), 3)
    assert [axis.name for axis in walk.axes] == [f.name for f in model.chart.factors]
    assert len(set(walk.labels)) == len(walk.labels) > 1
    shift = AE(warp=warp_named("time-shift"), n_content=2, net=SMALL).build((1, 32)).eval()
    assert traverse_deformation(shift, torch.zeros(2), 3).axes[0].name == "lag_samples"


def test_full_circle_is_covered_once() -> None:
    """A periodic parameter takes evenly spaced values on its circle."""
    turns = traverse_deformation(
        random_model(warp=Affine2d(rotation=180.0)), torch.zeros(4), 4
    ).values[0]
    torch.testing.assert_close(turns, torch.tensor([-135.0, -45.0, 45.0, 135.0]))


def test_columns_of_invertible_parts() -> None:
    """Only columns of invertible parts are varied."""
    assert invertible_columns(CHAIN) == tuple(range(18, 24))
    assert invertible_columns(Affine2d()) == tuple(range(6))
    assert invertible_columns(Identity()) == invertible_columns(Displacement2d(3)) == ()


@pytest.mark.parametrize(
    ("walk", "error", "words"),
    [
        (lambda m: traverse(m, X, index=9), DataError, "0 to 8"),
        (lambda m: traverse(m, X[:1]), DataError, "2 or more"),
        (lambda m: traverse(m, X, span=-1.0), ConfigError, "span"),
        (lambda m: traverse(m, X, span=math.nan), ConfigError, "span"),
        (lambda m: traverse_deformation(m, torch.zeros(3)), DataError, "3 numbers"),
        (lambda m: traverse_deformation(m, torch.zeros(4), 1), ConfigError, "n=1"),
        (
            lambda m: traverse_deformation(random_model(warp=Identity()), torch.zeros(4)),
            ConfigError,
            "identity",
        ),
    ],
)
def test_invalid_arguments_are_refused(walk: object, error: type[Exception], words: str) -> None:
    """The error names the argument."""
    with pytest.raises(error, match=words):
        walk(random_model())  # type: ignore[operator]


def test_mirror_has_two_values() -> None:
    """A row along a mirror shows the template as it is, then its mirror image."""
    mirror = Factor("mirror", "", 0.0, 1.0, discrete=True)
    assert grid_over(mirror, 4).tolist() == [0.0, 0.0, 1.0, 1.0]
    model = AE(warp=Rigid2d(mirror=True), n_content=2, net=Net("mlp", (8,), (8,))).build((1, 8, 8))
    walk = traverse_deformation(model.eval(), torch.zeros(2), 4)
    assert walk.axes[-1].name == "mirror" and walk.values[-1].tolist() == [0.0, 0.0, 1.0, 1.0]
    torch.testing.assert_close(walk.x[-1, -1], walk.x[-1, 0].flip(-1))

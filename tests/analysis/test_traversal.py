"""Walks through the latent space: their ends, their geometry, their order, and the units on their axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from tests.pictures import centre_of_mass, dot, smooth
from unwarp.analysis.arithmetic import arithmetic
from unwarp.analysis.interpolation import interpolate, interpolate_chunks, nearest, spherical
from unwarp.analysis.traversal import traverse, traverse_deformation, walkable_columns
from unwarp.core import Factor
from unwarp.errors import ConfigError, DataError
from unwarp.models import AE, VAE, Model, Net
from unwarp.models.latent import Latent
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Similarity2d, Warp, named

SMALL = Net("mlp", (16,), (16,))
X = smooth(9, (12, 12))
CHAIN = Chain(Displacement2d(3), Affine2d())


def built(recipe: type[AE] | type[VAE] = AE, warp: Warp = CHAIN) -> Model:
    """A model whose weights are all at work: no two samples have the same code or deformation."""
    model = recipe(warp=warp, n_content=4, net=SMALL).build((1, 12, 12))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=generator)
    model.centre(X)
    return model.eval()


def seen(model: Model, x: Tensor) -> tuple[Latent, Tensor]:
    with torch.no_grad():
        latent = model.embed(x)
        return latent, model.reconstruct(latent)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_interpolation_starts_and_ends_at_the_reconstructions(path: str) -> None:
    model = built()
    way = interpolate(model, X[0], X[5], 6, path)  # type: ignore[arg-type]
    latent, x_hat = seen(model, X[[0, 5]])
    torch.testing.assert_close(way.content[[0, -1]], latent.content, atol=0 if path == "linear" else 1e-6, rtol=1e-6)
    torch.testing.assert_close(way.x_hat[[0, -1]], x_hat, atol=1e-5, rtol=0)
    torch.testing.assert_close(way.templates[[0, -1]], model.template(latent.content), atol=1e-6, rtol=0)
    assert not torch.equal(way.theta[0], way.theta[-1])
    steps = way.theta.diff(dim=0)
    torch.testing.assert_close(steps, steps[:1].expand_as(steps), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_nothing_moves_between_a_sample_and_itself(path: str) -> None:
    way = interpolate(built(), X[2], X[2], 5, path)  # type: ignore[arg-type]
    for rows in (way.content, way.theta, way.templates, way.x_hat):
        assert torch.equal(rows, rows[:1].expand_as(rows))


def test_spherical_is_the_slerp_of_unit_quaternions() -> None:
    first, last = (Rotation.random(random_state=seed).as_quat() for seed in (3, 4))
    last = last if first @ last > 0 else -last
    t = np.linspace(0, 1, 7)
    expected = Slerp([0, 1], Rotation.from_quat(np.stack([first, last])))(t).as_quat()
    expected *= np.sign(expected @ first)[:, None]
    found = spherical(torch.tensor(first)[None], torch.tensor(last)[None], torch.tensor(t)[:, None])
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


def test_spherical_keeps_the_norm_that_both_ends_have_and_linear_loses_it() -> None:
    a = torch.randn(1, 12, generator=torch.Generator().manual_seed(0))
    b = torch.randn(1, 12, generator=torch.Generator().manual_seed(1))
    b *= a.norm() / b.norm()
    t = torch.linspace(0, 1, 9)[:, None]
    torch.testing.assert_close(spherical(a, b, t).norm(dim=1), a.norm().expand(9))
    assert torch.lerp(a, b, t).norm(dim=1).min() < 0.9 * a.norm()


def test_codes_on_one_line_through_the_origin_are_joined_straight() -> None:
    a = torch.tensor([[1.0, 2.0]])
    t = torch.linspace(0, 1, 5)[:, None]
    for b in (-a, 3 * a, torch.zeros(1, 2)):
        torch.testing.assert_close(spherical(a, b, t), torch.lerp(a, b, t))


def test_angles_go_the_shortest_way_round() -> None:
    model = built(warp=Affine2d(rotation=180.0))
    theta = torch.zeros(2, 6)
    theta[:, 0] = torch.tensor([170.0, -170.0]).deg2rad()
    latent = Latent(torch.zeros(2, 4), model.warp.map(theta))
    with patch.object(model, "embed", return_value=latent):
        way = interpolate(model, X[0], X[1], 5)
    torch.testing.assert_close(way.theta[:, 0].rad2deg(), torch.tensor([170.0, 175.0, 180.0, 185.0, 190.0]))
    phase, plain = Factor("phase", "s", 0.0, 4.0, periodic=True), Factor("shift", "px", -2.0, 2.0)
    moved = nearest(torch.tensor([3.5, 1.5]), torch.tensor([0.5, -1.5]), (phase, plain))
    torch.testing.assert_close(moved, torch.tensor([-0.5, 1.5]))


@pytest.mark.parametrize(
    ("sizes", "names"), [((1, 3), ("chunk 1", "chunk 2")), ((), [f"content {i}" for i in range(4)])]
)
def test_each_chunk_alone_goes_from_one_sample_to_the_other(sizes: tuple[int, ...], names: Sequence[str]) -> None:
    model = built(warp=Affine2d(shift=0.2, scale=1.2))
    latent, x_hat = seen(model, X[[0, 5]])
    walk = interpolate_chunks(model, X[0], X[5], sizes, 5)
    assert walk.labels == (*names, "deformation")
    torch.testing.assert_close(walk.values, torch.linspace(0, 1, 5).expand(len(walk.labels), 5))
    torch.testing.assert_close(walk.x[:, 0], x_hat[:1].expand_as(walk.x[:, 0]), atol=1e-5, rtol=0)
    for row, columns in enumerate(torch.arange(4).split(list(sizes or (1, 1, 1, 1)))):
        half, whole = latent.content[:1].clone(), latent.content[:1].clone()
        half[:, columns] = latent.content.mean(0)[columns]
        whole[:, columns] = latent.content[1, columns]
        drawn = model.reconstruct(Latent(torch.cat([half, whole]), latent.map[torch.tensor([0, 0])]))
        torch.testing.assert_close(walk.x[row, [2, 4]], drawn, atol=1e-5, rtol=0)
    moved = model.reconstruct(Latent(latent.content[:1], latent.map[torch.tensor([1])]))
    torch.testing.assert_close(walk.x[-1, -1:], moved, atol=1e-5, rtol=0)
    assert (walk.x[:, -1] - walk.x[:, 0]).flatten(1).abs().amax(1).min() > 1e-3


def test_one_chunk_that_holds_everything_is_the_interpolation() -> None:
    model = built(warp=Identity())
    walk = interpolate_chunks(model, X[0], X[5], (4,), 6)
    assert walk.labels == ("chunk 1",)
    assert torch.equal(walk.x[0], interpolate(model, X[0], X[5], 6).x_hat)


def test_the_chunk_of_the_deformation_goes_the_shortest_way_round() -> None:
    model = AE(warp=Affine2d(rotation=180.0), n_content=4, net=SMALL).build((1, 12, 12)).eval()
    theta = torch.zeros(2, 6)
    theta[:, 0] = torch.tensor([170.0, -170.0]).deg2rad()
    latent = Latent(torch.zeros(2, 4), model.warp.map(theta))
    with patch.object(model, "embed", return_value=latent), drawn_as(model, X[:1]):  # type: ignore[attr-defined]
        found = interpolate_chunks(model, X[0], X[1], (4,), 3).x[-1, 1:2]
    torch.testing.assert_close(found, X[:1].flip(2, 3))


def test_rows_are_sorted_by_the_rate_where_there_is_one() -> None:
    model = built(VAE)
    walk = traverse(model, X)
    with torch.no_grad():
        q = model.encode(X)
    assert q.content_log_sd is not None
    rate = kl_divergence(Normal(q.content_mean, q.content_log_sd.exp()), Normal(0.0, 1.0)).mean(0)
    torch.testing.assert_close(walk.figures, rate.sort(descending=True).values)
    order = [int(axis.name.removeprefix("content_")) for axis in walk.axes]
    assert order == rate.argsort(descending=True).tolist()
    assert walk.labels[0] == f"content {order[0]}\nKL {rate.max():.2f} nats"
    moved = q.content_mean.mean(0) + 2.0 * torch.eye(4)[order[0]]
    torch.testing.assert_close(walk.x[0, -1:], model.template(moved[None]), atol=1e-5, rtol=0)


def test_rows_are_sorted_by_the_spread_of_the_codes_elsewhere() -> None:
    model = built()
    codes = seen(model, X)[0].content
    walk = traverse(model, X, span=1.5, n=3)
    torch.testing.assert_close(walk.figures, codes.std(0, correction=0).sort(descending=True).values)
    first = int(walk.axes[0].name.removeprefix("content_"))
    moved = codes.mean(0) - 1.5 * torch.eye(4)[first] * walk.figures[0]
    torch.testing.assert_close(walk.x[0, :1], model.template(moved[None]), atol=1e-5, rtol=0)
    assert walk.labels[0].endswith(f"sd {walk.figures[0]:.2f}")
    assert walk.values.tolist() == [[-1.5, 0.0, 1.5]] * 4


@pytest.mark.parametrize("index", [None, 3])
def test_a_traversal_passes_through_where_it_starts(index: int | None) -> None:
    model = built()
    codes = seen(model, X)[0].content
    start = codes.mean(0) if index is None else codes[index]
    middle = traverse(model, X, index=index, n=5).x[:, 2]
    torch.testing.assert_close(middle, model.template(start[None]).expand_as(middle), atol=1e-5, rtol=0)


def test_what_is_added_and_taken_away_again_changes_nothing() -> None:
    model = built()
    found = arithmetic(model, X[:3], X[:3], X[3:5])
    torch.testing.assert_close(found.result.x_hat, seen(model, X[3:5])[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.result.x_hat, found.to.x_hat)


def test_arithmetic_adds_mean_content_and_keeps_the_deformation() -> None:
    model = built()
    content = seen(model, X)[0].content
    found = arithmetic(model, X[:2], X[2:6], X[6:])
    expected = content[6:] + content[:2].mean(0) - content[2:6].mean(0)
    torch.testing.assert_close(found.result.content, expected, atol=1e-3, rtol=1e-3)
    assert torch.equal(found.result.theta, found.to.theta)
    torch.testing.assert_close(found.plus.x_hat, found.plus.templates, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.plus.content, content[:2].mean(0, keepdim=True), atol=1e-3, rtol=1e-3)


def drawn_as(model: Model, picture: Tensor) -> object:
    """The model with a decoder that draws `picture` whatever the code."""
    return patch.object(model, "decode", side_effect=lambda content: picture.expand(len(content), -1, -1, -1))


def test_deformations_are_in_human_units_with_their_signs() -> None:
    model = AE(warp=Affine2d(shift=0.5), n_content=2, net=SMALL).build((1, 40, 40)).eval()
    with drawn_as(model, dot((40, 40), (0.3, 0.0), sd=0.08)):  # type: ignore[attr-defined]
        walk = traverse_deformation(model, torch.zeros(2), 5)
    rows = {
        axis.name: (values, centre_of_mass(x) * 20)
        for axis, values, x in zip(walk.axes, walk.values, walk.x, strict=True)
    }
    assert list(rows) == ["rotation_deg", "scale_x", "scale_y", "shear_deg", "shift_x_px", "shift_y_px"]
    values, centre = rows["rotation_deg"]
    torch.testing.assert_close(values, torch.linspace(-45, 45, 5))
    torch.testing.assert_close(torch.atan2(-centre[:, 1], centre[:, 0]).rad2deg(), values, atol=0.5, rtol=0)
    values, centre = rows["shift_x_px"]
    torch.testing.assert_close(values, torch.linspace(-10, 10, 5))
    torch.testing.assert_close(centre[:, 0], 6 + values, atol=0.05, rtol=0)
    values, centre = rows["scale_x"]
    torch.testing.assert_close(values[[0, 2, 4]], torch.tensor([1 / 1.6, 1.0, 1.6]))
    torch.testing.assert_close(centre[:, 0], 6 * values, atol=0.05, rtol=0)
    assert walk.labels[0] == "rotation (deg)"


def test_the_middle_of_a_deformation_is_the_template() -> None:
    model = built()
    content = torch.ones(1, 4)
    walk = traverse_deformation(model, content, 3)
    assert len(walk.axes) == 6
    torch.testing.assert_close(walk.x[:, 1], model.template(content).expand(6, -1, -1, -1), atol=1e-4, rtol=0)


def test_one_parameter_has_one_row_under_the_name_that_its_columns_share() -> None:
    names = [axis.name for axis in traverse_deformation(built(warp=Similarity2d()), torch.zeros(4)).axes]
    assert names == ["rotation_deg", "scale", "shift_x_px", "shift_y_px"]


def test_a_human_column_that_several_parameters_move_labels_none_of_them() -> None:
    model = AE(warp=named("time"), n_content=2, net=SMALL).build((1, 32)).eval()
    walk = traverse_deformation(model, torch.zeros(2), 3)
    assert [axis.name for axis in walk.axes] == [f.name for f in model.chart.factors]
    assert len(set(walk.labels)) == len(walk.labels) > 1
    shift = AE(warp=named("time-shift"), n_content=2, net=SMALL).build((1, 32)).eval()
    assert traverse_deformation(shift, torch.zeros(2), 3).axes[0].name == "lag_samples"


def test_a_circle_is_shown_once_round() -> None:
    turns = traverse_deformation(built(warp=Affine2d(rotation=180.0)), torch.zeros(4), 4).values[0]
    torch.testing.assert_close(turns, torch.tensor([-135.0, -45.0, 45.0, 135.0]))


def test_only_parts_with_an_inverse_can_be_slid() -> None:
    assert walkable_columns(CHAIN) == tuple(range(18, 24))
    assert walkable_columns(Affine2d()) == tuple(range(6))
    assert walkable_columns(Identity()) == walkable_columns(Displacement2d(3)) == ()


def test_a_model_is_left_as_it_was() -> None:
    model = built().train()
    walk = traverse(model, X)
    assert model.training and not walk.x.requires_grad
    with pytest.raises(ConfigError):
        interpolate(model, X[0], X[1], 1)
    assert model.training
    calm = traverse(model.eval(), X)
    assert torch.equal(calm.x, walk.x) and not model.training


@pytest.mark.parametrize(
    ("walk", "error", "words"),
    [
        (lambda m: interpolate(m, X[0], X[1], path="round"), ConfigError, "choose one of linear, spherical"),
        (lambda m: interpolate(m, X[0], X[1, :, :6]), DataError, r"\(N, 1, 12, 12\)"),
        (lambda m: interpolate(m, X[0], X[1], 1), ConfigError, "n=1"),
        (lambda m: interpolate_chunks(m, X[0], X[1], (2, 1)), ConfigError, "n_content=4"),
        (lambda m: interpolate_chunks(m, X[0], X[1], (5, -1)), ConfigError, "1 or more"),
        (lambda m: interpolate_chunks(m, X[0], X[1], n=1), ConfigError, "n=1"),
        (lambda m: traverse(m, X, index=9), DataError, "0 to 8"),
        (lambda m: traverse(m, X[:1]), DataError, "2 or more"),
        (lambda m: traverse(m, X, span=-1.0), ConfigError, "span"),
        (lambda m: traverse(m, X, span=math.nan), ConfigError, "span"),
        (lambda m: arithmetic(m, X[:0], X, X), DataError, "plus has shape"),
        (lambda m: traverse_deformation(m, torch.zeros(3)), DataError, "3 numbers"),
        (lambda m: traverse_deformation(m, torch.zeros(4), 1), ConfigError, "n=1"),
        (lambda m: traverse_deformation(built(warp=Identity()), torch.zeros(4)), ConfigError, "identity"),
    ],
)
def test_a_mistake_is_named(walk: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        walk(built())  # type: ignore[operator]

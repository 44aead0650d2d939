"""Affine maps: the published order, the human columns, the signs, and the mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.pictures import smooth
from tests.warps.affine_maps import FRAME, WARP, random_maps, turn
from unwarp.errors import ConfigError
from unwarp.warps import Affine2d, Rigid2d, Similarity2d, translation


def test_published_order_in_pixels_on_a_frame_that_is_not_square() -> None:
    angle, log_x, log_y, k, shift_x, shift_y = theta = (0.4, 0.3, -0.2, 0.35, 0.5, -0.25)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shear, scale = np.array([[1, k], [0, 1]]), np.diag(np.exp([log_x, log_y]))
    half = np.array([16.0, 12.0])
    points = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    expected = (points * half) @ (rotation @ shear @ scale).T + np.array([shift_x, shift_y]) * half
    map = WARP.map(torch.tensor([theta], dtype=torch.float64))
    np.testing.assert_allclose(
        map.push(torch.as_tensor(points))[0].numpy() * half, expected, atol=1e-12
    )


def test_summary_names_what_was_put_in() -> None:
    theta = torch.tensor(
        [[math.radians(30), math.log(1.5), math.log(0.8), 0.5, 0.25, -0.5]], dtype=torch.float64
    )
    found = {f.name: float(column) for f, column in WARP.summary(WARP.map(theta)).items()}
    linear = {
        "rotation_deg": 30,
        "scale_x": 1.5,
        "scale_y": 0.8,
        "shear_deg": math.degrees(math.atan(0.5)),
    }
    assert found == pytest.approx(linear | {"shift_x_px": 4.0, "shift_y_px": -6.0})


def test_a_similarity_is_the_affine_map_without_shear() -> None:
    similarity = Similarity2d().bind(FRAME)
    theta = torch.tensor([[0.3, 0.2, 0.1, -0.4]], dtype=torch.float64)
    full = torch.tensor([[0.3, 0.2, 0.2, 0.0, 0.1, -0.4]], dtype=torch.float64)
    torch.testing.assert_close(
        similarity.map(theta).push(torch.eye(2).double()),
        WARP.map(full).push(torch.eye(2).double()),
    )


def test_the_similarity_chart_projects_orthogonally() -> None:
    similarity = Similarity2d(size=(32, 32))
    theta = similarity.theta(random_maps(1))
    flat = random_maps(1).matrix.flatten()

    def distance(shift: Tensor) -> float:
        return float((similarity.map(theta + shift).matrix.flatten() - flat).square().sum())

    assert all(distance(torch.zeros(4)) <= distance(1e-2 * torch.randn(4)) for _ in range(20))


def test_a_shift_by_whole_pixels_moves_pixels() -> None:
    x = smooth(1, FRAME)
    moved = translation(torch.tensor([[2 * 3 / 32, 2 * 2 / 24]]))(x)
    torch.testing.assert_close(moved[:, :, 2:, 3:], x[:, :, :-2, :-3], atol=1e-5, rtol=0)
    assert moved[:, :, :2].abs().max() < 1e-4


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_counter_clockwise_as_seen(quarters: int) -> None:
    x = smooth(1, (20, 20)).double()
    seen = turn(90 * quarters, Affine2d(rotation=180).bind((20, 20)))(x)
    np.testing.assert_allclose(seen[0, 0], np.rot90(x[0, 0], quarters), atol=1e-9)


@pytest.mark.parametrize("family", [Affine2d, Similarity2d])
@pytest.mark.parametrize(
    "choice", [{"rotation": 0.0}, {"rotation": 181.0}, {"scale": 1.0}, {"scale": -2.0}]
)
def test_choices_out_of_bounds_are_refused(
    family: type[Affine2d | Similarity2d], choice: dict[str, float]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(choice))):
        family(**choice)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", [Affine2d, Similarity2d])
def test_the_mean_angle_goes_the_short_way_round(family: type[Affine2d | Similarity2d]) -> None:
    warp = family(rotation=90).bind(FRAME)
    theta = torch.zeros(2, len(warp.factors))
    theta[:, 0] = torch.tensor([math.radians(170), math.radians(-170)])
    mean = next(iter(warp.summary(warp.mean(warp.map(theta))).values()))
    assert float(mean.abs()) == pytest.approx(180, abs=1e-3)


@pytest.mark.parametrize("family", [Affine2d, Similarity2d])
def test_a_full_circle_has_no_mean_angle(family: type[Affine2d | Similarity2d]) -> None:
    warp = family(rotation=180).bind(FRAME)
    theta = torch.full((3, len(warp.factors)), 0.2)
    mean = warp.theta(warp.mean(warp.map(theta)))
    scales = slice(0, -2)  # and shear
    torch.testing.assert_close(
        mean[:, scales], torch.full_like(mean, 0.2).index_fill(1, torch.tensor(0), 0.0)[:, scales]
    )
    still = warp.map(theta).compose(warp.mean(warp.map(theta)).invert())
    torch.testing.assert_close(warp.theta(still)[:, -2:], torch.zeros(3, 2), atol=1e-6, rtol=0)
    assert warp.factors[0].periodic and next(iter(warp.summary(warp.map(theta)))).periodic


@pytest.mark.parametrize("family", [Affine2d, Rigid2d, Similarity2d])
def test_on_a_full_circle_the_point_that_moves_least_goes_to_the_middle(
    family: type[Affine2d | Rigid2d | Similarity2d],
) -> None:
    warp = family(rotation=180).bind(FRAME)
    draws = torch.Generator().manual_seed(0)
    theta = (2 * torch.rand(64, len(warp.factors), generator=draws, dtype=torch.float64) - 1) * 0.3
    theta[:, 0] = torch.arange(64) * math.pi / 32 - math.pi
    theta[:, -2:] = 0
    turned, aside = warp.map(theta), translation(torch.tensor([[0.2, -0.1]], dtype=torch.float64))
    anchor = warp.mean(
        turned.compose(aside)
    )  # things that turn about their middle, drawn aside of it
    torch.testing.assert_close(
        warp.theta(turned.compose(aside).compose(anchor.invert()))[:, -2:], theta[:, -2:]
    )
    assert (
        float(warp.theta(turned.compose(aside))[:, -2:].mean(0).abs().max()) < 0.05
    )  # their mean shift says little


def test_a_rigid_map_is_the_similarity_of_scale_one() -> None:
    rigid, similarity = Rigid2d(size=FRAME), Similarity2d(size=FRAME)
    theta = torch.tensor([[0.3, 0.1, -0.4]], dtype=torch.float64)
    full = torch.tensor([[0.3, 0.0, 0.1, -0.4]], dtype=torch.float64)
    torch.testing.assert_close(rigid.map(theta).matrix, similarity.map(full).matrix)
    assert [f.name for f in rigid.summary(rigid.map(theta))] == [
        "rotation_deg",
        "shift_x_px",
        "shift_y_px",
    ]


def test_points_that_rows_share_move_as_points_of_their_own_do() -> None:
    maps, points = random_maps(3), torch.rand(7, 2, dtype=torch.float64)
    torch.testing.assert_close(maps.push(points), maps.push(points.expand(3, -1, -1)))

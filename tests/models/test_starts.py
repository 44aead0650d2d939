"""Where the pose begins: the moments follow what moves a picture, and of several angles the best is kept."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.pictures import smooth
from unwarp.errors import ConfigError
from unwarp.models import AE, Net
from unwarp.models.losses import gaussian_energy
from unwarp.models.starts import Start, angle, rotation, start_for
from unwarp.warps import Affine2d, AffineMap, CosineTime, Identity, Rigid2d, Similarity2d, Window

FRAME = Window.frame((40, 48))
CIRCLE = Similarity2d(rotation=180)


def blob(scale: float, shift: tuple[float, float]) -> Tensor:
    """A bright ellipse of a size at a place, (1, 1, 40, 48)."""
    points = FRAME.lattice(torch.zeros(0)) * torch.tensor([24.0, 20.0])
    away = (points - torch.tensor(shift)) / (scale * torch.tensor([4.0, 2.0]))
    return (-away.square().sum(-1)).exp().reshape(1, 1, 40, 48)


def test_the_centre_of_intensity_follows_a_shift_by_as_much() -> None:
    start = Start("centroid", FRAME)
    one, two = (start(blob(1.0, place)) for place in ((0.0, 0.0), (5.0, -3.0)))
    assert isinstance(one, AffineMap) and isinstance(two, AffineMap)
    moved = (two.matrix - one.matrix)[0, :, 2] * torch.tensor([24.0, 20.0])
    torch.testing.assert_close(moved, torch.tensor([5.0, -3.0]), atol=1e-3, rtol=0)
    assert torch.equal(one.matrix[0, :, :2], torch.eye(2))


def test_the_scale_from_moments_grows_as_the_thing_does() -> None:
    start = Start("moments", FRAME)
    small, large = (start(blob(scale, (1.0, 2.0))) for scale in (1.0, 1.5))
    assert isinstance(small, AffineMap) and isinstance(large, AffineMap)
    ratio = large.matrix[0, :, :2] @ small.matrix[0, :, :2].inverse()
    torch.testing.assert_close(ratio, 1.5 * torch.eye(2), atol=2e-3, rtol=0)


def test_undoing_the_moments_leaves_a_standard_size_in_the_middle() -> None:
    start = Start("moments", FRAME.crop(0.5))
    upright = start(blob(1.3, (4.0, -2.0))).invert()(blob(1.3, (4.0, -2.0)))
    again = start(upright)
    assert isinstance(again, AffineMap)
    torch.testing.assert_close(again.matrix[0], torch.eye(2, 3), atol=2e-2, rtol=0)


def test_a_turn_is_the_warps_own_rotation_on_any_frame() -> None:
    angle = torch.tensor([0.7, -2.0])
    theta = torch.stack([angle, *(torch.zeros(2) for _ in range(3))], -1)
    own = Similarity2d(rotation=180, size=(40, 48)).map(theta)
    torch.testing.assert_close(rotation(angle, 40 / 48).matrix, own.matrix)


def test_an_empty_picture_has_a_finite_start() -> None:
    start = Start("moments", FRAME)(torch.zeros(2, 1, 40, 48))
    assert isinstance(start, AffineMap) and start.matrix.isfinite().all()
    assert (torch.linalg.det(start.matrix[..., :2]) > 0).all()


def test_the_full_circle_begins_at_eight_angles_and_less_at_one() -> None:
    assert len(start_for("centroid", "auto", CIRCLE, FRAME).angles) == 8
    assert start_for("centroid", "auto", Similarity2d(), FRAME).angles == (0.0,)
    assert start_for("learned", 4, CIRCLE, FRAME).angles == tuple(math.pi / 2 * k for k in range(4))
    assert start_for("centroid", "auto", Identity(), FRAME).kind == "learned"
    assert start_for("centroid", "auto", CosineTime(), Window.frame((64,))).kind == "learned"


@pytest.mark.parametrize(
    ("kind", "starts", "warp", "match"),
    [
        ("moments", "auto", Rigid2d(), "cannot hold"),
        ("centroid", 8, Affine2d(), "full circle"),
    ],
)
def test_a_start_that_the_warp_cannot_hold_is_refused(
    kind: str, starts: int, warp: Affine2d, match: str
) -> None:
    with pytest.raises(ConfigError, match=match):
        start_for(kind, starts, warp, FRAME)  # type: ignore[arg-type]


def test_the_angle_that_is_kept_explains_a_sample_best() -> None:
    recipe = AE(
        warp=CIRCLE,
        start="centroid",
        starts=5,
        n_content=3,
        views=0.0,
        net=Net("mlp", (16,), (16,)),
    )
    model, x = recipe.build((1, 20, 24), seed=0).eval(), smooth(6, (20, 24))
    for parameter in model.decoder.parameters():
        parameter.data.mul_(8)
    kept, misfits = model.encode(x), []
    for start in model.encoder.angles:
        found = model.encoder(x, None, torch.full((6,), start), brief=True)
        area = torch.linalg.det(found.map.matrix[:, :, :2]).abs()
        misfits.append(
            area
            * gaussian_energy(
                (model.decode(found.content) - found.canonical).flatten(1), torch.ones(())
            )
        )
    best = torch.tensor(model.encoder.angles)[torch.stack(misfits).argmin(0)]
    again = model.encoder(x, None, best)
    torch.testing.assert_close(kept.content, again.content)
    torch.testing.assert_close(kept.map.push(torch.eye(2)), again.map.push(torch.eye(2)))
    assert len(best.unique()) > 1


def test_rows_do_not_see_each_others_angles() -> None:
    model = (
        AE(warp=CIRCLE, start="moments", n_content=3, net=Net("mlp", (16,), (16,)))
        .build((1, 20, 20))
        .eval()
    )
    x = smooth(5, (20, 20))
    torch.testing.assert_close(
        model.encode(x).content[2:3], model.encode(x[2:3]).content, atol=1e-5, rtol=1e-4
    )


def test_noise_all_over_a_picture_does_not_draw_the_start_to_the_middle() -> None:
    start, noise = (
        Start("centroid", FRAME),
        0.2 * torch.randn(1, 1, 40, 48, generator=torch.Generator().manual_seed(0)),
    )
    clean, noisy = (
        start(blob(1.6, (9.0, -6.0))),
        start((blob(1.6, (9.0, -6.0)) + noise).clamp(0, 1)),
    )
    assert isinstance(clean, AffineMap) and isinstance(noisy, AffineMap)
    away = (noisy.matrix - clean.matrix)[0, :, 2] * torch.tensor([24.0, 20.0])
    assert away.norm() < 3  # the plain centre of intensity is off by 8


def test_the_prior_judges_the_scale_of_a_start_and_not_its_shift() -> None:
    recipe = AE(
        warp=Similarity2d(), start="moments", n_content=2, views=0.0, net=Net("mlp", (16,), (16,))
    )
    model = recipe.build((1, 40, 48)).eval()
    with torch.no_grad():
        small, large = (model.encode(blob(scale, (3.0, 2.0))) for scale in (1.0, 1.5))
    judged = (large.theta - small.theta)[0] * math.log(Similarity2d().scale)
    assert float(judged[1]) == pytest.approx(math.log(1.5), abs=5e-3)
    torch.testing.assert_close(small.theta[:, 2:], torch.zeros(1, 2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("aspect", [1.0, 0.5, 2.0])
def test_angle_undoes_rotation(aspect: float) -> None:
    """In frames of any aspect, also for maps of an affine warp."""
    angles = torch.tensor([-3.0, -1.0, 0.0, 0.5, 2.0])
    torch.testing.assert_close(angle(rotation(angles, aspect), aspect), angles)
    warp = Affine2d(rotation=180, size=(round(20 * aspect), 20))
    theta = torch.tensor([[0.7, 0.2, -0.3, 0.4, 0.1, 0.0]])
    torch.testing.assert_close(angle(warp.map(theta), aspect), theta[:, 0])

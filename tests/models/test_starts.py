"""Starts of a pose: moments follow shifts and sizes, and the best angle is chosen."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.pictures import smooth_noise
from unwarp.errors import ConfigError
from unwarp.models import AE, Net
from unwarp.models.losses import gaussian_energy
from unwarp.models.starts import (
    Start,
    StartKind,
    build_start,
    follow,
    orientation,
    rotation,
    rotation_angle,
)
from unwarp.warps import (
    Affine2d,
    AffineMap,
    Chain,
    CosineTime,
    Displacement2d,
    Identity,
    Rigid2d,
    Similarity2d,
    Warp,
    Window,
)
from unwarp.warps.affine_map import affine_part

FRAME = Window.frame((40, 48))
CIRCLE = Similarity2d(rotation=180)


def blob(scale: float, shift: tuple[float, float]) -> Tensor:
    """A bright ellipse (1, 1, 40, 48) of a scale, shifted by (x, y) pixels."""
    points = FRAME.lattice(torch.zeros(0)) * torch.tensor([24.0, 20.0])
    offsets = (points - torch.tensor(shift)) / (scale * torch.tensor([4.0, 2.0]))
    return (-offsets.square().sum(-1)).exp().reshape(1, 1, 40, 48)


def test_centroid_follows_a_shift() -> None:
    """The start moves by as many pixels as the object, and does not scale."""
    start = Start("centroid", FRAME)
    first, second = (start(blob(1.0, shift)) for shift in ((0.0, 0.0), (5.0, -3.0)))
    assert isinstance(first, AffineMap) and isinstance(second, AffineMap)
    shift = (second.matrix - first.matrix)[0, :, 2] * torch.tensor([24.0, 20.0])
    torch.testing.assert_close(shift, torch.tensor([5.0, -3.0]), atol=1e-3, rtol=0)
    assert torch.equal(first.matrix[0, :, :2], torch.eye(2))


def test_moments_scale_follows_the_size() -> None:
    """An object of one and a half times the size has a start of one and a half times the scale."""
    start = Start("moments", FRAME)
    small, large = (start(blob(scale, (1.0, 2.0))) for scale in (1.0, 1.5))
    assert isinstance(small, AffineMap) and isinstance(large, AffineMap)
    ratio = large.matrix[0, :, :2] @ small.matrix[0, :, :2].inverse()
    torch.testing.assert_close(ratio, 1.5 * torch.eye(2), atol=2e-3, rtol=0)


def test_moments_undone_give_standard_size() -> None:
    """A picture with its start undone has the identity as its start."""
    start = Start("moments", FRAME.crop(0.5))
    upright = start(blob(1.3, (4.0, -2.0))).invert()(blob(1.3, (4.0, -2.0)))
    remainder = start(upright)
    assert isinstance(remainder, AffineMap)
    torch.testing.assert_close(remainder.matrix[0], torch.eye(2, 3), atol=2e-2, rtol=0)


def test_rotation_equals_that_of_the_warp() -> None:
    """Also in a frame that is not square."""
    rotation_angle = torch.tensor([0.7, -2.0])
    theta = torch.stack([rotation_angle, *(torch.zeros(2) for _ in range(3))], -1)
    map = Similarity2d(rotation=180, size=(40, 48)).map(theta)
    torch.testing.assert_close(rotation(rotation_angle, 40 / 48).matrix, map.matrix)


def test_start_of_empty_picture_is_finite() -> None:
    """An empty picture has a finite start that can be undone."""
    start = Start("moments", FRAME)(torch.zeros(2, 1, 40, 48))
    assert isinstance(start, AffineMap) and start.matrix.isfinite().all()
    assert (torch.linalg.det(start.matrix[..., :2]) > 0).all()


def test_start_angles_follow_the_warp() -> None:
    """Eight angles on the full circle, else one; without a pose the start is `learned`."""
    assert len(build_start("centroid", "auto", CIRCLE, FRAME).angles) == 8
    assert build_start("centroid", "auto", Similarity2d(), FRAME).angles == (0.0,)
    assert build_start("learned", 4, CIRCLE, FRAME).angles == tuple(
        math.pi / 2 * k for k in range(4)
    )
    assert build_start("centroid", "auto", Identity(), FRAME).kind == "learned"
    assert build_start("centroid", "auto", CosineTime(), Window.frame((64,))).kind == "learned"


@pytest.mark.parametrize(
    ("kind", "starts", "warp", "match"),
    [
        ("moments", "auto", Rigid2d(), "does not contain"),
        ("centroid", 8, Affine2d(), "full circle"),
    ],
)
def test_start_refuses_unsuitable_warp(kind: str, starts: int, warp: Affine2d, match: str) -> None:
    """A start with poses that the warp does not contain is an error."""
    with pytest.raises(ConfigError, match=match):
        build_start(kind, starts, warp, FRAME)  # type: ignore[arg-type]


def test_best_angle_explains_sample_best() -> None:
    """The chosen angle has the least squared error, weighed by the area of the template."""
    recipe = AE(
        warp=CIRCLE,
        start="centroid",
        starts=5,
        n_content=3,
        views=0.0,
        net=Net("mlp", (16,), (16,)),
    )
    model, x = recipe.build((1, 20, 24), seed=0).eval(), smooth_noise(6, (20, 24))
    for parameter in model.decoder.parameters():
        parameter.data.mul_(8)
    posterior, misfits = model.encode(x), []
    for start in model.encoder.angles:
        trial = model.encoder(x, None, torch.full((6,), start), single_pass=True)
        area = torch.linalg.det(trial.map.matrix[:, :, :2]).abs()
        misfits.append(
            area
            * gaussian_energy(
                (model.decode(trial.content) - trial.canonical).flatten(1), torch.ones(())
            )
        )
    best = torch.tensor(model.encoder.angles)[torch.stack(misfits).argmin(0)]
    expected, points = model.encoder(x, None, best), torch.eye(2)
    torch.testing.assert_close(posterior.content, expected.content)
    torch.testing.assert_close(posterior.map.push(points), expected.map.push(points))
    assert len(best.unique()) > 1


def test_angles_do_not_depend_on_the_batch() -> None:
    """A sample has the same content alone and in a batch."""
    model = (
        AE(warp=CIRCLE, start="moments", n_content=3, net=Net("mlp", (16,), (16,)))
        .build((1, 20, 20))
        .eval()
    )
    x = smooth_noise(5, (20, 20))
    torch.testing.assert_close(
        model.encode(x).content[2:3], model.encode(x[2:3]).content, atol=1e-5, rtol=1e-4
    )


def test_centroid_withstands_noise() -> None:
    """Noise all over a picture moves the start by less than three pixels."""
    start, noise = (
        Start("centroid", FRAME),
        0.2 * torch.randn(1, 1, 40, 48, generator=torch.Generator().manual_seed(0)),
    )
    clean, noisy = (
        start(blob(1.6, (9.0, -6.0))),
        start((blob(1.6, (9.0, -6.0)) + noise).clamp(0, 1)),
    )
    assert isinstance(clean, AffineMap) and isinstance(noisy, AffineMap)
    shift = (noisy.matrix - clean.matrix)[0, :, 2] * torch.tensor([24.0, 20.0])
    assert shift.norm() < 3  # the plain centre of intensity is off by 8


def test_prior_counts_scale_not_shift() -> None:
    """The scale of a start is a part of theta, its shift is not."""
    recipe = AE(
        warp=Similarity2d(), start="moments", n_content=2, views=0.0, net=Net("mlp", (16,), (16,))
    )
    model = recipe.build((1, 40, 48)).eval()
    with torch.no_grad():
        small, large = (model.encode(blob(scale, (3.0, 2.0))) for scale in (1.0, 1.5))
    difference = (large.theta - small.theta)[0] * math.log(Similarity2d().scale)
    assert float(difference[1]) == pytest.approx(math.log(1.5), abs=5e-3)
    torch.testing.assert_close(small.theta[:, 2:], torch.zeros(1, 2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("aspect", [1.0, 0.5, 2.0])
def test_angle_undoes_rotation(aspect: float) -> None:
    """`rotation_angle` inverts `rotation` in frames of any aspect, also for an affine warp."""
    angles = torch.tensor([-3.0, -1.0, 0.0, 0.5, 2.0])
    torch.testing.assert_close(rotation_angle(rotation(angles, aspect), aspect), angles)
    warp = Affine2d(rotation=180, size=(round(20 * aspect), 20))
    theta = torch.tensor([[0.7, 0.2, -0.3, 0.4, 0.1, 0.0]])
    torch.testing.assert_close(rotation_angle(warp.map(theta), aspect), theta[:, 0])


@pytest.mark.parametrize(
    ("warp", "kind", "expected"),
    [
        (Affine2d(shift=0), "centroid", "learned"),
        (Rigid2d(shift=0), "moments", "learned"),
        (Similarity2d(scale=1), "moments", "centroid"),
        (Affine2d(scale=1), "moments", "centroid"),
        (Rigid2d(rotation=0), "centroid", "centroid"),
    ],
)
def test_start_leaves_out_what_is_off(warp: Warp, kind: StartKind, expected: str) -> None:
    """Factors with a range of 0 are switched off in the start, too."""
    assert build_start(kind, "auto", warp, Window.frame((24, 24))).kind == expected


def test_translations_are_learned() -> None:
    """A model with translations alone has no other columns than shifts in its maps."""
    recipe = AE(warp=Rigid2d(rotation=0), n_content=2, net=Net("mlp", (16,), (16,)))
    model = recipe.build((1, 20, 20)).eval()
    with torch.no_grad():
        map = model.pose(torch.rand(4, 1, 20, 20))
    linear = affine_part(map).matrix[..., :2]
    torch.testing.assert_close(linear, torch.eye(2).expand(4, 2, 2))


def test_mirror_of_a_start_acts_first() -> None:
    """A start with a mirror is the scale and shift of a rotation of the mirrored template."""
    start, x = Start("moments", FRAME), blob(1.2, (3.0, -2.0))
    pairs = torch.tensor([[0.7, 1.0], [0.7, 0.0]])
    mirrored, turned = start(x, pairs)[:1], start(x, pairs)[1:]
    torch.testing.assert_close(turned.push(torch.eye(2)), start(x, pairs[1:, 0]).push(torch.eye(2)))
    flipped = torch.eye(2) * torch.tensor([-1.0, 1.0])
    torch.testing.assert_close(mirrored.push(torch.eye(2)), turned.push(flipped))


def test_starts_know_the_mirror() -> None:
    """It follows the warp, also at the end of a chain, and not the number of angles."""
    for warp, n in ((Rigid2d(mirror=True), 1), (Similarity2d(rotation=180, mirror=True), 8)):
        start = build_start("centroid", "auto", warp, FRAME)
        assert start.has_mirror and len(start.angles) == n
    assert build_start(
        "learned", 1, Chain(Displacement2d(2), Rigid2d(mirror=True)), FRAME
    ).has_mirror
    assert not build_start("learned", 1, Rigid2d(), FRAME).has_mirror


@pytest.mark.parametrize("aspect", [1.0, 0.5])
def test_starts_follow_a_deformation(aspect: float) -> None:
    """The start of a deformed sample is the deformation after the start of the sample."""
    warp = Rigid2d(rotation=180, mirror=True, size=(round(20 * aspect), 20))
    generator = torch.Generator().manual_seed(0)
    turn = torch.rand(12, generator=generator) * 3
    angles = torch.stack([turn, (torch.arange(12) % 2).float()], -1)
    view = warp.sample(12, generator, 0.0)  # without shifts
    expected = view.compose(orientation(angles, aspect))
    start = orientation(follow(angles, view, aspect), aspect)
    torch.testing.assert_close(start.push(torch.eye(2)), expected.push(torch.eye(2)))
    still = follow(angles, view, aspect, is_turned=False)
    mirrors = warp.theta(expected)[:, -1]
    assert torch.equal(still[:, 1], mirrors)


def test_limited_starts_follow_without_angle() -> None:
    """Where a warp has one start angle, it stays 0; only the mirror follows."""
    warp = Rigid2d(mirror=True)
    view = warp.sample(12, torch.Generator().manual_seed(0))
    still = follow(torch.zeros(12, 2), view, 1.0, is_turned=False)
    assert torch.equal(still, torch.stack([torch.zeros(12), warp.theta(view)[:, -1]], -1))

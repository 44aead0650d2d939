"""Every family of warps, with random parameters, points and samples, for the laws."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.pictures import smooth_noise
from unwarp.warps import (
    Affine2d,
    Chain,
    CosineTime,
    Displacement2d,
    Gain,
    Map,
    Rigid2d,
    Similarity2d,
    SoftmaxTime,
    TimeAffine,
    TimeShift,
    Warp,
    families,
)

FRAME, LENGTH = (24, 32), (48,)
N = 5
POINTS = (
    torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 2.2 - 1.1
)
TIMES = POINTS[:, :1] * 0.6 + 0.5
DEFAULTS: dict[str, Warp] = {
    name: family() for name, family in families().items() if family is not Chain
}
VARIANTS: dict[str, Warp] = {
    "translations": Rigid2d(rotation=0),
    "similarity, upright": Similarity2d(rotation=0),
    "similarity, one size": Similarity2d(scale=1),
    "affine, translations": Affine2d(rotation=0, scale=1, shear=0),
    "rigid, mirror": Rigid2d(mirror=True),
    "similarity, mirror": Similarity2d(mirror=True),
    "affine, mirror": Affine2d(mirror=True),
    "chain": Chain(Displacement2d(4), Affine2d()),
    "chain, mirror": Chain(Displacement2d(2), Rigid2d(mirror=True)),
    "time, free ends": CosineTime(free_ends=True),
    "time-softmax, free ends": SoftmaxTime(free_ends=True),
    "time+gain": Chain(CosineTime(), Gain()),
    "affine+gain": Chain(Affine2d(), Gain()),
    "time+shift": Chain(CosineTime(), TimeShift()),
    "time+affine": Chain(SoftmaxTime(), TimeAffine()),
}
WARPS: dict[str, Warp] = {
    name: warp.bind(LENGTH if warp.domain == "series" else FRAME)
    for name, warp in (DEFAULTS | VARIANTS).items()
}


def random_theta(
    warp: Warp, n: int = N, seed: int = 0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Random parameters (n, P) in the box of one stage."""
    raw = torch.randn(
        n, len(warp.factors), dtype=dtype, generator=torch.Generator().manual_seed(seed)
    )
    return warp.constrain(raw)


def maps_in_box(warp: Warp) -> Map:
    """Random maps of one stage."""
    return warp.map(random_theta(warp))


def maps_outside_box(warp: Warp, seed: int = 0) -> Map:
    """Maps that compositions can give: two to three times outside the box of one stage."""
    half_ranges = torch.tensor([f.half_range for f in warp.factors], dtype=torch.float64)
    signs = torch.randn(
        N, len(half_ranges), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    ).sign()
    sizes = torch.linspace(2, 3, N, dtype=torch.float64)[:, None]
    return warp.map(signs * half_ranges * sizes)


def partner_maps(warp: Warp, n: int, seed: int = 9) -> Map:
    """Random maps of an invertible family that acts on the same data as `warp`."""
    partner = CosineTime() if warp.domain == "series" else Affine2d()
    return partner.map(random_theta(partner, n, seed))


def points_of(warp: Warp) -> Tensor:
    """Random points (P, axes) in and around the frame of `warp`."""
    return TIMES if warp.domain == "series" else POINTS


def samples(warp: Warp, n: int = N) -> Tensor:
    """Smooth data (n, C, ...) on the frame of `warp`, float64."""
    x = (
        smooth_noise(n, (3, *LENGTH)).squeeze(1)
        if warp.domain == "series"
        else smooth_noise(n, FRAME)
    )
    return x.double()


def assert_equal_maps(a: Map, b: Map, points: Tensor, atol: float = 1e-9) -> None:
    """Fail unless two maps pull points to the same places."""
    assert (a.pull(points) - b.pull(points)).abs().max() < atol

"""The contract of every warp and of its maps, for each family that the folder holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from tests.pictures import centre_of_mass, dot, smooth
from unwarp.core import Factor
from unwarp.errors import NotInvertibleError
from unwarp.warps import (
    Affine2d,
    Chain,
    CosineTime,
    Displacement2d,
    Gain,
    Map,
    SoftmaxTime,
    Warp,
    Window,
    align,
    families,
)

FRAME, LENGTH = (24, 32), (48,)
N = 5
POINTS = (
    torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 2.2 - 1.1
)
TIMES = POINTS[:, :1] * 0.6 + 0.5
AT_REST = {
    "sd": 0.0,
    "deg": 0.0,
    "px": 0.0,
    "factor": 1.0,
    "samples": 0.0,
    "1/samples": 0.0,
    "": 0.0,
}

DEFAULTS: dict[str, Warp] = {
    name: family() for name, family in families().items() if family is not Chain
}
OTHERS: dict[str, Warp] = {
    "chain": Chain(Displacement2d(4), Affine2d()),
    "time, free ends": CosineTime(free_ends=True),
    "time-softmax, free ends": SoftmaxTime(free_ends=True),
    "time+gain": Chain(CosineTime(), Gain()),
}
WARPS: dict[str, Warp] = {
    name: warp.bind(LENGTH if warp.domain == "series" else FRAME)
    for name, warp in (DEFAULTS | OTHERS).items()
}
PLANAR = [name for name, warp in WARPS.items() if warp.factors and warp.domain == "image"]
TEMPORAL = [name for name, warp in WARPS.items() if warp.domain == "series" and name != "gain"]


@pytest.fixture(params=WARPS)
def warp(request: pytest.FixtureRequest) -> Warp:
    return WARPS[request.param]


def thetas(warp: Warp, n: int = N, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    raw = torch.randn(
        n, len(warp.factors), dtype=dtype, generator=torch.Generator().manual_seed(seed)
    )
    return warp.constrain(raw)


def near(warp: Warp) -> Map:
    return warp.map(thetas(warp))


def far(warp: Warp, seed: int = 0) -> Map:
    """Maps as compositions make them: two to three times outside the box of one stage."""
    half = torch.tensor([f.half_range for f in warp.factors], dtype=torch.float64)
    signs = torch.randn(
        N, len(half), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    ).sign()
    return warp.map(signs * half * torch.linspace(2, 3, N, dtype=torch.float64)[:, None])


def other(warp: Warp, n: int, seed: int = 9) -> Map:
    """Maps of the plain invertible family that acts on the same data as `warp`."""
    plain = CosineTime() if warp.domain == "series" else Affine2d()
    return plain.map(thetas(plain, n, seed))


def points(warp: Warp) -> Tensor:
    return TIMES if warp.domain == "series" else POINTS


def samples(warp: Warp, n: int = N) -> Tensor:
    """Smooth data (n, C, ...) in the frame of `warp`, float64."""
    x = smooth(n, (3, *LENGTH)).squeeze(1) if warp.domain == "series" else smooth(n, FRAME)
    return x.double()


def invertible(map: Map) -> bool:
    try:
        map.invert()
    except NotInvertibleError:
        return False
    return True


def same(one: Map, two: Map, at: Tensor, atol: float = 1e-9) -> None:
    assert (one.pull(at) - two.pull(at)).abs().max() < atol


def test_zero_is_the_identity(warp: Warp) -> None:
    still = warp.map(warp.constrain(torch.zeros(N, len(warp.factors), dtype=torch.float64)))
    torch.testing.assert_close(
        still.pull(points(warp)), points(warp).expand(N, -1, -1), atol=1e-12, rtol=0
    )
    torch.testing.assert_close(still(samples(warp)), samples(warp), atol=1e-12, rtol=0)


@pytest.mark.parametrize("place", [near, far])
def test_inverses_or_a_typed_refusal(warp: Warp, place: Callable[[Warp], Map]) -> None:
    map, at = place(warp), points(warp)
    if not invertible(map):
        with pytest.raises(NotInvertibleError):
            map.push(at)
        return
    here = at.expand(N, -1, -1)
    torch.testing.assert_close(map.pull(map.push(at)), here, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.push(map.pull(at)), here, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.invert().pull(at), map.push(at), atol=1e-9, rtol=0)
    torch.testing.assert_close(map.compose(map.invert()).pull(at), here, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.invert().compose(map).pull(at), here, atol=1e-9, rtol=0)


def test_compose_is_associative_and_applies_the_inner_map_first(warp: Warp) -> None:
    a, b, c = (warp.map(thetas(warp, seed=seed)) for seed in range(3))
    one_row, rows, at = other(warp, 1), other(warp, N), points(warp)
    triples = [(a, b, c), (a, rows, b), (rows, a, one_row), (a, one_row, rows), (far(warp), a, b)]
    for one, two, three in triples:
        same(one.compose(two).compose(three), one.compose(two.compose(three)), at)
        assert (one.compose(two).pull(at) - two.pull(one.pull(at))).abs().max() < 1e-9


def test_one_row_in_a_product_stands_for_every_row(warp: Warp) -> None:
    map, at = warp.map(thetas(warp)), points(warp)
    for product in (
        map.compose(other(warp, 1)),
        other(warp, 1).compose(map),
        other(warp, N).compose(map[:1]),
    ):
        assert len(product) == N
        assert product.pull(at).shape == (N, *at.shape)
        torch.testing.assert_close(product[2:3].pull(at), product.pull(at)[2:3], atol=1e-9, rtol=0)


def test_the_mean_can_be_taken_out_without_losing_rows(warp: Warp) -> None:
    map = warp.map(thetas(warp))
    centred = map.compose(warp.mean(map).invert())
    assert len(centred) == N
    assert warp.theta(centred).shape == (N, len(warp.factors))


def test_the_chart_returns_theta(warp: Warp) -> None:
    theta = thetas(warp)
    found = warp.theta(warp.map(theta))
    assert found.shape == theta.shape
    torch.testing.assert_close(found.double(), theta, atol=1e-9, rtol=0)


def test_gradients_reach_theta_the_picture_and_the_points(warp: Warp) -> None:
    theta = 0.7 * thetas(warp, 1).detach()
    x = smooth(1, (5, 6), sigma=1.0).double()
    x = x.squeeze(1) if warp.domain == "series" else x
    at = points(warp)[:6] * 0.7
    for tensor in (theta, x, at):
        tensor.requires_grad_(tensor.numel() > 0)
    assert gradcheck(lambda theta, x: warp.map(theta)(x), (theta, x))
    assert gradcheck(lambda theta, at: warp.map(theta).pull(at), (theta, at))
    if warp.map(theta).invertible:
        assert gradcheck(lambda theta, at: warp.map(theta).push(at), (theta, at))


def test_gradients_reach_the_chart(warp: Warp) -> None:
    """What a prior over the composed deformation needs."""
    theta = (0.7 * thetas(warp, 1)).requires_grad_(len(warp.factors) > 0)
    more = warp.map(0.5 * thetas(warp, 1, seed=1))
    if warp.factors:
        assert gradcheck(lambda theta: warp.theta(warp.map(theta)), theta)
    if warp.factors and warp.name != "time-cpab":
        assert gradcheck(lambda theta: warp.theta(warp.map(theta).compose(more)), theta)


def test_a_row_is_the_same_alone_and_in_a_batch(warp: Warp) -> None:
    theta, x, at = thetas(warp), samples(warp), points(warp)
    map = warp.map(theta)
    rows = torch.tensor([3, 1])
    own = at + torch.arange(N)[:, None, None] * 0.01
    for i in range(N):
        alone = warp.map(theta[i : i + 1])
        for one in (alone, map[i : i + 1]):
            torch.testing.assert_close(one(x[i : i + 1]), map(x)[i : i + 1], atol=1e-10, rtol=0)
            torch.testing.assert_close(
                one.pull(own[i : i + 1]), map.pull(own)[i : i + 1], atol=1e-10, rtol=0
            )
    torch.testing.assert_close(map[rows].pull(at), map.pull(at)[rows])
    assert (len(map), len(map[rows])) == (N, 2)


def test_nothing_can_be_trained(warp: Warp) -> None:
    def tensors(item: object) -> list[Tensor]:
        if isinstance(item, Tensor):
            return [item]
        if isinstance(item, tuple):
            return [t for part in item for t in tensors(part)]
        return (
            [t for f in fields(item) for t in tensors(getattr(item, f.name))]
            if is_dataclass(item)
            else []
        )

    map = warp.map(thetas(warp))
    found = tensors(warp) + tensors(map)
    assert not isinstance(warp, nn.Module) and not isinstance(map, nn.Module)
    assert not any(isinstance(t, nn.Parameter) or t.requires_grad for t in found)


@pytest.mark.parametrize("axis", [0, 1], ids="xy")
@pytest.mark.parametrize("name", PLANAR)
def test_the_sign_law(name: str, axis: int) -> None:
    warp = WARPS[name]
    movers = [i for i, f in enumerate(warp.factors) if re.search(rf"shift_{'xy'[axis]}$", f.name)]
    movers = movers or [
        i for i, f in enumerate(warp.factors) if re.search(rf"(^|_){'xy'[axis]}_\d+_\d+$", f.name)
    ]
    theta = torch.zeros(1, len(warp.factors))
    theta[0, movers] = 0.5
    seen = torch.zeros(2).index_fill(0, torch.tensor(axis), 0.5)
    torch.testing.assert_close(
        centre_of_mass(warp.map(theta)(dot(FRAME)))[0], seen, atol=1e-3, rtol=0
    )
    torch.testing.assert_close(
        warp.map(theta).pull(seen[None])[0, 0], torch.zeros(2), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("sign", [-1, 1], ids=["earlier", "later"])
@pytest.mark.parametrize("name", TEMPORAL)
def test_the_sign_law_of_time(name: str, sign: int) -> None:
    warp = WARPS[name]

    def lag(theta: Tensor) -> Tensor:
        return next(
            column for f, column in warp.summary(warp.map(theta)).items() if f.name == "lag_samples"
        )

    still = torch.zeros(1, len(warp.factors), dtype=torch.float64, requires_grad=True)
    uphill = torch.autograd.grad(lag(still).sum(), still)[0].sign()
    theta = 0.1 * sign * uphill.nan_to_num() * torch.tensor([f.half_range for f in warp.factors])
    times = Window.frame((2001,)).lattice(theta)
    bump = torch.exp(-((times - 0.5) ** 2) / 2e-4).reshape(1, 1, -1)
    seen = float(times[warp.map(theta)(bump).argmax()])
    assert sign * float(lag(theta)) > 0 and sign * (seen - 0.5) > 0
    assert float(warp.map(theta).push(torch.full((1, 1), 0.5).double())) == pytest.approx(
        seen, abs=2e-3
    )


def test_constrain_keeps_any_number_in_the_box(warp: Warp) -> None:
    raw = 10 * torch.randn(200, len(warp.factors), generator=torch.Generator().manual_seed(0))
    theta = warp.constrain(raw)
    low, high = (torch.tensor([getattr(f, end) for f in warp.factors]) for end in ("low", "high"))
    assert ((theta >= low - 1e-6) & (theta <= high + 1e-6)).all()
    assert ((theta < 0.9 * low).any(0) & (theta > 0.9 * high).any(0)).all()


def test_samples_repeat_by_seed_and_fill_their_share_of_the_box(warp: Warp) -> None:
    draws = [
        warp.sample(300, torch.Generator().manual_seed(seed), fraction=0.5) for seed in (0, 0, 1)
    ]
    a, b, c = (warp.theta(map) for map in draws)
    half = torch.tensor([f.half_range * (1.0 if f.periodic else 0.5) for f in warp.factors])
    assert a.shape == (300, len(warp.factors))
    assert torch.equal(a, b)
    assert not warp.factors or not torch.equal(a, c)
    assert (a.abs() <= half + 1e-5).all()
    assert (a.abs().amax(0) > 0.9 * half).all()


def test_summary_columns_are_named_measured_and_zero_at_rest(warp: Warp) -> None:
    columns = warp.summary(warp.map(thetas(warp)))
    assert all(isinstance(f, Factor) and column.shape == (N,) for f, column in columns.items())
    assert len({f.name for f in columns}) == len(columns)
    still = warp.summary(warp.map(torch.zeros(N, len(warp.factors))))
    for factor, column in still.items():
        torch.testing.assert_close(
            column, torch.full((N,), AT_REST[factor.unit]), atol=1e-6, rtol=0
        )


def test_the_mean_is_one_map_that_can_be_undone(warp: Warp) -> None:
    mean = warp.mean(warp.map(thetas(warp)))
    assert len(mean) == 1
    still = warp.map(torch.zeros(1, len(warp.factors), dtype=torch.float64))
    same(mean.compose(mean.invert()), still, points(warp))


def test_a_centred_map_has_a_chart(warp: Warp) -> None:
    theta = thetas(warp, dtype=torch.float32)
    anchor = warp.mean(warp.map((theta + warp.constrain(torch.full_like(theta, 0.4))) / 2))
    centred = warp.map(theta).compose(anchor.invert())
    chart = warp.recentre(anchor)
    same(chart.map(chart.theta(centred)), centred, points(warp).float(), 1e-4)
    same(centred.compose(anchor), warp.map(theta), points(warp).float(), 1e-4)


def test_undoing_leaves_nothing_that_can_be_undone(warp: Warp) -> None:
    map, x = warp.map(thetas(warp)), samples(warp)
    rest = map.invertible_part().invert().compose(map)
    same(rest.invertible_part(), other(warp, 1).compose(other(warp, 1).invert()), points(warp))
    if invertible(map):
        same(map.invertible_part(), map, points(warp))
    shown = align(x, map)
    torch.testing.assert_close(shown, map.invertible_part().invert()(x))

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
from unwarp.types import Factor, NotInvertibleError
from unwarp.warps import Affine2d, AffineMap, Chain, Displacement2d, Map, Warp, canonicalize, families

FRAME = (24, 32)
N = 5
POINTS = torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 2.2 - 1.1
AT_REST = {"deg": 0.0, "px": 0.0, "factor": 1.0}

DEFAULTS: dict[str, Warp] = {name: family() for name, family in families().items() if family is not Chain}
WARPS: dict[str, Warp] = {
    name: warp.on(FRAME) for name, warp in (DEFAULTS | {"chain": Chain(Displacement2d(4), Affine2d())}).items()
}
MOVING = [name for name, warp in WARPS.items() if warp.factors]


@pytest.fixture(params=WARPS)
def warp(request: pytest.FixtureRequest) -> Warp:
    return WARPS[request.param]


def thetas(warp: Warp, n: int = N, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    raw = torch.randn(n, len(warp.factors), dtype=dtype, generator=torch.Generator().manual_seed(seed))
    return warp.constrain(raw)


def near(warp: Warp) -> Map:
    return warp.map(thetas(warp))


def far(warp: Warp, seed: int = 0) -> Map:
    """Maps as compositions make them: two to three times outside the box of one stage."""
    half = torch.tensor([f.half_range for f in warp.factors], dtype=torch.float64)
    signs = torch.randn(N, len(half), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).sign()
    return warp.map(signs * half * torch.linspace(2, 3, N, dtype=torch.float64)[:, None])


def affine(n: int, seed: int = 9) -> AffineMap:
    return Affine2d().map(thetas(Affine2d(), n, seed))


def invertible(map: Map) -> bool:
    try:
        map.invert()
    except NotInvertibleError:
        return False
    return True


def same(one: Map, two: Map, atol: float = 1e-9, dtype: torch.dtype = torch.float64) -> None:
    assert (one.pull(POINTS.to(dtype)) - two.pull(POINTS.to(dtype))).abs().max() < atol


def test_zero_is_the_identity(warp: Warp) -> None:
    still = warp.map(warp.constrain(torch.zeros(N, len(warp.factors), dtype=torch.float64)))
    torch.testing.assert_close(still.pull(POINTS), POINTS.expand(N, -1, -1), atol=1e-12, rtol=0)
    x = smooth(N, FRAME)
    torch.testing.assert_close(still(x.double()), x.double(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("place", [near, far])
def test_inverses_or_a_typed_refusal(warp: Warp, place: Callable[[Warp], Map]) -> None:
    map = place(warp)
    if not invertible(map):
        with pytest.raises(NotInvertibleError):
            map.push(POINTS)
        return
    here = POINTS.expand(N, -1, -1)
    torch.testing.assert_close(map.pull(map.push(POINTS)), here, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.push(map.pull(POINTS)), here, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.invert().pull(POINTS), map.push(POINTS), atol=1e-9, rtol=0)
    torch.testing.assert_close(map.compose(map.invert()).pull(POINTS), here, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.invert().compose(map).pull(POINTS), here, atol=1e-9, rtol=0)


def test_compose_is_associative_and_applies_the_inner_map_first(warp: Warp) -> None:
    a, b, c = (warp.map(thetas(warp, seed=seed)) for seed in range(3))
    triples = [(a, b, c), (a, affine(N), b), (affine(N), a, affine(1)), (a, affine(1), affine(N)), (far(warp), a, b)]
    for one, two, three in triples:
        same(one.compose(two).compose(three), one.compose(two.compose(three)))
        assert (one.compose(two).pull(POINTS) - two.pull(one.pull(POINTS))).abs().max() < 1e-9


def test_one_row_in_a_product_stands_for_every_row(warp: Warp) -> None:
    map = warp.map(thetas(warp))
    for product in (map.compose(affine(1)), affine(1).compose(map), affine(N).compose(map[:1])):
        assert len(product) == N
        assert product.pull(POINTS).shape == (N, *POINTS.shape)
        torch.testing.assert_close(product[2:3].pull(POINTS), product.pull(POINTS)[2:3], atol=1e-9, rtol=0)


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
    points = POINTS[:6] * 0.7
    for tensor in (theta, x, points):
        tensor.requires_grad_(tensor.numel() > 0)
    assert gradcheck(lambda theta, x: warp.map(theta)(x), (theta, x))
    assert gradcheck(lambda theta, points: warp.map(theta).pull(points), (theta, points))


def test_a_row_is_the_same_alone_and_in_a_batch(warp: Warp) -> None:
    theta, x = thetas(warp), smooth(N, FRAME).double()
    map = warp.map(theta)
    rows = torch.tensor([3, 1])
    own = POINTS + torch.arange(N)[:, None, None] * 0.01
    for i in range(N):
        alone = warp.map(theta[i : i + 1])
        for one in (alone, map[i : i + 1]):
            torch.testing.assert_close(one(x[i : i + 1]), map(x)[i : i + 1], atol=1e-10, rtol=0)
            torch.testing.assert_close(one.pull(own[i : i + 1]), map.pull(own)[i : i + 1], atol=1e-10, rtol=0)
    torch.testing.assert_close(map[rows].pull(POINTS), map.pull(POINTS)[rows])
    assert (len(map), len(map[rows])) == (N, 2)


def test_nothing_can_be_trained(warp: Warp) -> None:
    def tensors(item: object) -> list[Tensor]:
        if isinstance(item, Tensor):
            return [item]
        if isinstance(item, tuple):
            return [t for part in item for t in tensors(part)]
        return [t for f in fields(item) for t in tensors(getattr(item, f.name))] if is_dataclass(item) else []

    map = warp.map(thetas(warp))
    found = tensors(warp) + tensors(map)
    assert not isinstance(warp, nn.Module) and not isinstance(map, nn.Module)
    assert not any(isinstance(t, nn.Parameter) or t.requires_grad for t in found)


@pytest.mark.parametrize("axis", [0, 1], ids="xy")
@pytest.mark.parametrize("name", MOVING)
def test_the_sign_law(name: str, axis: int) -> None:
    warp = WARPS[name]
    movers = [i for i, f in enumerate(warp.factors) if re.search(rf"shift_{'xy'[axis]}$", f.name)]
    movers = movers or [i for i, f in enumerate(warp.factors) if re.search(rf"(^|_){'xy'[axis]}_\d+_\d+$", f.name)]
    theta = torch.zeros(1, len(warp.factors))
    theta[0, movers] = 0.5
    seen = torch.zeros(2).index_fill(0, torch.tensor(axis), 0.5)
    torch.testing.assert_close(centre_of_mass(warp.map(theta)(dot(FRAME)))[0], seen, atol=1e-3, rtol=0)
    torch.testing.assert_close(warp.map(theta).pull(seen[None])[0, 0], torch.zeros(2), atol=1e-6, rtol=0)


def test_constrain_keeps_any_number_in_the_box(warp: Warp) -> None:
    raw = 10 * torch.randn(200, len(warp.factors), generator=torch.Generator().manual_seed(0))
    theta = warp.constrain(raw)
    low, high = (torch.tensor([getattr(f, end) for f in warp.factors]) for end in ("low", "high"))
    assert ((theta >= low - 1e-6) & (theta <= high + 1e-6)).all()
    assert ((theta < 0.9 * low).any(0) & (theta > 0.9 * high).any(0)).all()


def test_samples_repeat_by_seed_and_fill_their_share_of_the_box(warp: Warp) -> None:
    draws = [warp.sample(300, torch.Generator().manual_seed(seed), spread=0.5) for seed in (0, 0, 1)]
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
        torch.testing.assert_close(column, torch.full((N,), AT_REST[factor.unit]), atol=1e-6, rtol=0)


def test_the_mean_is_one_map_that_can_be_undone(warp: Warp) -> None:
    mean = warp.mean(warp.map(thetas(warp)))
    assert len(mean) == 1
    same(mean.compose(mean.invert()), warp.map(torch.zeros(1, len(warp.factors), dtype=torch.float64)))


def test_a_centred_map_has_a_chart(warp: Warp) -> None:
    theta = thetas(warp, dtype=torch.float32)
    anchor = warp.mean(warp.map((theta + warp.constrain(torch.full_like(theta, 0.4))) / 2))
    centred = warp.map(theta).compose(anchor.invert())
    chart = warp.seen_from(anchor)
    same(chart.map(chart.theta(centred)), centred, 1e-4, torch.float32)
    same(centred.compose(anchor), warp.map(theta), 1e-4, torch.float32)


def test_undoing_leaves_nothing_that_can_be_undone(warp: Warp) -> None:
    map = warp.map(thetas(warp))
    rest = map.undoable().invert().compose(map)
    same(rest.undoable(), affine(1).compose(affine(1).invert()))
    if invertible(map):
        same(map.undoable(), map)
    x = smooth(N, FRAME).double()
    shown = canonicalize(x, map)
    torch.testing.assert_close(shown, map.undoable().invert()(x))

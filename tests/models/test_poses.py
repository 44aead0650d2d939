"""Poses that agree: what explains a thing badly is no candidate, and a kind in two poses becomes one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from unwarp import AE, Affine2d
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.models.poses import ROUGH, TOLERANCE, agreed, centres_of_kinds, shares
from unwarp.models.starts import angle, rotation
from unwarp.models.store import load, save
from unwarp.warps import Chain, Displacement2d, Similarity2d

SMALL = AE(warp=Affine2d(rotation=180), n_content=3, views=0.3, starts=4, kinds=2, net=Net("mlp", (16,), (16,)))


def pictures(n: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 1, 12, 12, generator=torch.Generator().manual_seed(seed))


def split_kinds(n: int = 40) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes (2, n, 2) and misfits (2, n) of two kinds, each of which has a pose at 0 and one at 10 beside it; the kinds (n,).

    Half of each kind is explained a little better in either pose; the third column of places is what the kinds are.
    """
    draw = torch.Generator().manual_seed(0)
    kind, better = torch.arange(n) % 2, torch.arange(n) // 2 % 2
    place = torch.tensor([[[0.0, 0.0], [10.0, 0.0]], [[0.0, 10.0], [10.0, 10.0]]])  # kind, pose
    both = torch.stack([place[kind, better], place[kind, 1 - better]])
    misfit = torch.stack([torch.full((n,), 1.0), torch.full((n,), 1.1)])
    return both + 0.3 * torch.randn(both.shape, generator=draw), misfit, kind


def test_the_nearest_of_the_candidates_is_taken() -> None:
    codes = torch.tensor([[[5.0], [0.1]], [[0.0], [9.0]], [[1.0], [0.0]]])
    misfit = torch.tensor([[1.0, 1.0], [1.2, 1.2], [1.0, 2 * TOLERANCE]])
    places, apart = agreed(codes, misfit, torch.tensor([[0.0]]))
    assert places.tolist() == [1, 0]  # the third explains the second thing too badly
    torch.testing.assert_close(apart, torch.tensor([0.0, 0.01]))


def test_a_kind_in_two_poses_becomes_one() -> None:
    codes, misfit, kind = split_kinds()
    centres = centres_of_kinds(codes, misfit, 2)
    places, apart = agreed(codes, misfit, centres)
    chosen = codes[places, torch.arange(len(kind))]
    own = torch.cdist(chosen, centres).argmin(1)
    assert (own == kind).all() or (own == 1 - kind).all()
    assert float(apart.max()) < 4
    # as they were, each kind is spread over both of its poses
    assert float((codes[0, kind == 0] - codes[0, kind == 0].mean(0)).norm(dim=1).min()) > 3


def test_what_explains_badly_is_never_a_candidate() -> None:
    codes, misfit, _ = split_kinds()
    misfit[1] = 10.0
    places, _ = agreed(codes, misfit, centres_of_kinds(codes, misfit, 2))
    assert (places == 0).all()


@pytest.mark.parametrize("aspect", [1.0, 0.5, 2.0])
def test_the_angle_of_a_turn_is_found_whatever_the_frame(aspect: float) -> None:
    turn = torch.tensor([-3.0, -1.0, 0.0, 0.5, 2.0])
    torch.testing.assert_close(angle(rotation(turn, aspect), aspect), turn)
    warp = Affine2d(rotation=180, size=(round(20 * aspect), 20))
    theta = torch.tensor([[0.7, 0.2, -0.3, 0.4, 0.1, 0.0]])
    torch.testing.assert_close(angle(warp.map(theta), aspect), theta[:, 0])


def test_kinds_are_found_when_the_model_is_centred_and_kept(tmp_path: Path) -> None:
    x, model = pictures(), SMALL.build((1, 12, 12))
    assert model.kinds.isnan().all() and model.kinds.shape == (2, 3)
    model.eval().centre(x)
    assert model.kinds.isfinite().all()
    save(model, SMALL, tmp_path / "model")
    again, recipe, _ = load(tmp_path / "model")
    assert torch.equal(again.kinds, model.kinds) and recipe == SMALL
    one, two = model.turn(x), again.turn(x)
    assert one is not None and two is not None and torch.equal(one, two)


def test_poses_of_a_model_without_kinds_are_those_that_explain_best() -> None:
    x = pictures()
    plain = replace(SMALL, kinds=0).build((1, 12, 12)).eval()
    plain.centre(x)
    assert len(plain.kinds) == 0
    turn, (turns, _, misfit) = plain.turn(x), plain._look(x)
    assert turn is not None and torch.equal(turn, turns[misfit.argmin(0), torch.arange(len(x))])
    still = replace(SMALL, starts=1).build((1, 12, 12))
    assert still.turn(x) is None and len(still.kinds) == 0


def test_while_a_model_learns_poses_are_those_of_gathered_kinds() -> None:
    x, model = pictures(), replace(SMALL, gathers=1).build((1, 12, 12)).train()
    (turns, codes, misfit), rows = model._look(x), torch.arange(len(x))
    best = turns[misfit.argmin(0), rows]
    before = model.turn(x)
    assert before is not None and torch.equal(before, best)
    model.gather(x)
    assert model.training and model.kinds.isfinite().all()
    model.kinds[:] = codes[misfit.argmax(0), rows][:2]
    after, chosen = model.turn(x), agreed(codes, misfit, model.kinds, tolerance=ROUGH)[0]
    assert after is not None and torch.equal(after, turns[chosen, rows])
    assert (misfit[chosen, rows] <= ROUGH * misfit.amin(0)).all() and not torch.equal(after, best)
    still = SMALL.build((1, 12, 12)).train()
    still.load_state_dict(model.state_dict())
    again = still.turn(x)
    assert again is not None and torch.equal(again, best)


def test_shares_are_those_of_the_near_kinds_and_change_smoothly() -> None:
    kinds = torch.tensor([[0.0, 0.0], [4.0, 0.0], [4.0, 0.0]])  # where there are fewer things than kinds, some are one
    belongs = shares(torch.tensor([[0.0, 0.0], [2.0, 0.0], [4.0, 1.0]]), kinds)
    torch.testing.assert_close(belongs.sum(1), torch.ones(3))
    torch.testing.assert_close(
        belongs, torch.tensor([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]]), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(shares(torch.zeros(1, 2), torch.full((3, 2), torch.nan)), torch.full((1, 3), 1 / 3))


def bars_and_blocks(n: int = 40) -> torch.Tensor:
    """Pictures (n, 1, 20, 20) of bars and of blocks in turn, in different places."""
    x, places = torch.zeros(n, 1, 20, 20), torch.randint(3, 7, (n, 2), generator=torch.Generator().manual_seed(0))
    for i, (down, right) in enumerate(places.tolist()):
        height, width = ((2, 12), (6, 6))[i % 2]
        x[i, 0, down : down + height, right : right + width] = 1.0
    return x


@torch.no_grad()
def test_each_kind_is_centred_and_pictures_stay_as_they_were() -> None:
    x, warp = bars_and_blocks(), Similarity2d(rotation=180, scale=2.0)
    model = replace(SMALL, warp=warp, start="moments").build((1, 20, 20), seed=1).eval()
    model.centre(x)
    latent, before = model.embed(x), model.warp.theta(model.encode(x).map)
    kind, theta = torch.cdist(latent.content, model.kinds).argmin(1), model.warp.theta(latent.map)
    assert shares(latent.content, model.kinds).amax(1).min() > 0.9
    assert len(kind[::2].unique()) == len(kind[1::2].unique()) == 1
    assert float((before[::2, 1].mean() - before[1::2, 1].mean()).abs()) > 0.1  # scales of bars and of blocks
    torch.testing.assert_close(theta[::2, 1].mean(), theta[1::2, 1].mean(), atol=0.02, rtol=0)
    posterior = model.encode(x)
    torch.testing.assert_close(
        model.reconstruct(latent), model.decode_warped(posterior.content, posterior.map), atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(model.pose(x).push(torch.zeros(1, 2)), latent.map.push(torch.zeros(1, 2)))


def test_a_chain_is_centred_as_a_whole() -> None:
    chained = replace(SMALL, warp=Chain(Displacement2d(2), Affine2d(rotation=180))).build((1, 12, 12))
    assert len(chained.anchor_theta) == 1


def test_a_copy_begins_where_its_move_took_the_original() -> None:
    x, model = pictures(), SMALL.build((1, 12, 12)).train()
    seen: list[torch.Tensor] = []
    encode = model.encode

    def spy(x: torch.Tensor, turn: torch.Tensor | None = None) -> object:
        assert turn is not None
        seen.append(turn)
        return encode(x, turn=turn)

    model.encode = spy  # type: ignore[method-assign, assignment]
    from unwarp.core import Batch

    (player,) = SMALL.players(model)
    player.loss(Batch(x, torch.arange(len(x))), 0, torch.Generator().manual_seed(3))
    move = model.warp.sample(len(x), torch.Generator().manual_seed(3), SMALL.views, like=x).invertible_part()
    (turn,) = seen
    assert set((turn[:12] / (math.pi / 2)).round().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    torch.testing.assert_close(turn[12:] - turn[:12], angle(move, 1.0))


def test_there_are_no_fewer_kinds_than_none() -> None:
    with pytest.raises(ConfigError, match="kinds must be 0 or more"):
        AE(warp=Similarity2d(rotation=180), kinds=-1)

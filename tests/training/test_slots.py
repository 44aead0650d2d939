"""A player's step: clear errors, gradient norms and averaged weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.training.runs import AUTO, pictures
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import TrainingError
from unwarp.models import Optimiser, Player
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import Row, State


def test_a_loss_that_is_not_finite_names_step_player_and_term() -> None:
    model = AUTO.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        ruin = torch.tensor(float("nan") if step == 4 else 1.0)
        return {
            "fine": model.encode(batch.x).content.sum(),
            "broken": ruin * model.encode(batch.x).content.sum(),
        }

    with pytest.raises(TrainingError, match=r"step 4, player 'clumsy': the term 'broken' is nan"):
        train(
            model, [Player("clumsy", model, loss)], pictures(), steps=10, batch_size=8, device="cpu"
        )


def test_a_gradient_that_is_not_finite_is_named_too() -> None:
    model = AUTO.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"root": (0.0 * model.encode(batch.x).content.sum()).sqrt()}

    with pytest.raises(TrainingError, match=r"step 0, player 'steep': the gradient's norm is nan"):
        train(
            model, [Player("steep", model, loss)], pictures(), steps=10, batch_size=8, device="cpu"
        )


def test_the_history_has_each_players_gradient_norm_before_clipping() -> None:
    layer = nn.Linear(100, 1, bias=False)
    model = AUTO.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"mean": layer(batch.x.flatten(1)).mean()}

    data = Dataset(torch.full((8, 1, 10, 10), 3.0))
    for clip, rows in ((0.0, (0, 10)), (1.0, (0, 10, 12))):
        player = Player("line", layer, loss, Optimiser(lr=1e-3, clip=clip))
        history = train(model, [player], data, steps=13, batch_size=4, device="cpu")
        found = {
            row["step"]: row["line.gradient"] for row in history.rows if "line.gradient" in row
        }
        assert found == pytest.approx(dict.fromkeys(rows, 30.0))


def test_averages_follow_buffers_with_the_weights_and_soon_forget_the_start() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    model = AUTO.build((1, 2, 2))
    path: list[dict[str, Tensor]] = []

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {
            "square": (net(batch.x.flatten(1)) - 1).square().mean() + net[0].weight.square().sum()
        }

    class Watch(Callback):
        def on_step(self, state: State, terms: Row) -> None:
            path.append({name: value.clone() for name, value in net.state_dict().items()})

    start = {name: value.clone() for name, value in net.state_dict().items()}
    data = Dataset(torch.randn(64, 1, 2, 2) * 3 + 5)
    player = Player("net", net, loss, Optimiser(lr=0.1, warmup=1), ema=0.6)
    train(model, [player], data, steps=8, batch_size=16, device="cpu", callbacks=[Watch()])
    expected = start
    for step, now in enumerate(path):
        decay = min(0.6, (1 + step) / (10 + step))
        expected = {
            k: decay * v + (1 - decay) * now[k] if v.is_floating_point() else now[k]
            for k, v in expected.items()
        }
    assert path[0].keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert not torch.allclose(net.state_dict()["1.running_mean"], path[-1]["1.running_mean"])

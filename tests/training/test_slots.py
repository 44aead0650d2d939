"""The step of a player: errors of values, gradient norms and averaged weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.training.runs import AUTOENCODER, pictures
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import TrainingError
from unwarp.models import Optimiser, Player
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import Row, State


def test_infinite_loss_is_named() -> None:
    """The message names the step, the player and the term."""
    model = AUTOENCODER.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        factor = torch.tensor(float("nan") if step == 4 else 1.0)
        return {
            "intact": model.encode(batch.x).content.sum(),
            "broken": factor * model.encode(batch.x).content.sum(),
        }

    player = Player("clumsy", model, loss)
    message = r"step 4, player 'clumsy': the loss term 'broken' is nan"
    with pytest.raises(TrainingError, match=message):
        train(model, [player], pictures(), steps=10, batch_size=8, device="cpu")


def test_infinite_gradient_is_named() -> None:
    """The message names the step and the player."""
    model = AUTOENCODER.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"root": (0.0 * model.encode(batch.x).content.sum()).sqrt()}

    player = Player("steep", model, loss)
    message = r"step 0, player 'steep': the gradient norm is nan"
    with pytest.raises(TrainingError, match=message):
        train(model, [player], pictures(), steps=10, batch_size=8, device="cpu")


def test_gradient_norms_precede_clipping() -> None:
    """The history has the norm of each player before clipping, with clipping at the last step."""
    layer = nn.Linear(100, 1, bias=False)
    model = AUTOENCODER.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"mean": layer(batch.x.flatten(1)).mean()}

    data = Dataset(torch.full((8, 1, 10, 10), 3.0))
    for clip, steps in ((0.0, (0, 10)), (1.0, (0, 10, 12))):
        player = Player("line", layer, loss, Optimiser(lr=1e-3, clip=clip))
        history = train(model, [player], data, steps=13, batch_size=4, device="cpu")
        norms = {
            row["step"]: row["line.gradient"] for row in history.rows if "line.gradient" in row
        }
        assert norms == pytest.approx(dict.fromkeys(steps, 30.0))


def test_averages_follow_weights_and_buffers() -> None:
    """The decay rises to its value, so that the average leaves the initial weights soon."""
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    model = AUTOENCODER.build((1, 2, 2))
    trajectory: list[dict[str, Tensor]] = []

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {
            "square": (net(batch.x.flatten(1)) - 1).square().mean() + net[0].weight.square().sum()
        }

    class StateRecorder(Callback):
        """Records weights and buffers after each step."""

        def on_step(self, state: State, terms: Row) -> None:
            """Copy the state of the network."""
            trajectory.append({name: value.clone() for name, value in net.state_dict().items()})

    expected = {name: value.clone() for name, value in net.state_dict().items()}
    data = Dataset(torch.randn(64, 1, 2, 2) * 3 + 5)
    player = Player("net", net, loss, Optimiser(lr=0.1, warmup=1), ema=0.6)
    train(model, [player], data, steps=8, batch_size=16, device="cpu", callbacks=[StateRecorder()])
    for step, current in enumerate(trajectory):
        decay = min(0.6, (1 + step) / (10 + step))
        expected = {
            k: decay * v + (1 - decay) * current[k] if v.is_floating_point() else current[k]
            for k, v in expected.items()
        }
    assert trajectory[0].keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert not torch.allclose(net.state_dict()["1.running_mean"], trajectory[-1]["1.running_mean"])

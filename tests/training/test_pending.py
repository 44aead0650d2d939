"""Numbers of steps on the device: when they are read, and how a divergence is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import DivergenceError
from unwarp.models import Optimiser, Player
from unwarp.training import pending
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.loop import train
from unwarp.training.pending import StepNumbers, read_numbers
from unwarp.training.state import History, Row, State

DATA = Dataset(torch.rand(12, 3, generator=torch.Generator().manual_seed(0)))
PLAYER = Player("net", nn.Identity(), lambda *_: {})


@pytest.fixture
def as_on_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers stay unread between logged steps, as on a GPU."""
    monkeypatch.setattr(StepNumbers, "check_on_cpu", lambda numbers: None)


class Reader(Callback):
    """Looks up the loss after some steps, and lists steps and losses."""

    def __init__(self, interval: int) -> None:
        self.interval, self.losses, self.steps = interval, list[float](), list[int]()

    def on_step(self, state: State, terms: Row) -> None:
        """Look up the loss."""
        self.steps.append(state.step)
        if state.step % self.interval == 0:
            self.losses.append(terms["error"])


def run(
    lost_step: int, *callbacks: Callback, policy: str = "stop", steps: int = 25
) -> tuple[nn.Module, History]:
    """A linear network whose loss is NaN at one step, until it is drawn otherwise."""
    torch.manual_seed(0)
    net, losses = nn.Linear(3, 1), list[int]()

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        is_lost = step == lost_step and step not in losses
        losses.append(step)
        return {"error": net(batch.x).square().mean() * (torch.nan if is_lost else 1.0)}

    player = Player("net", net, loss, Optimiser(lr=0.1))
    history = train(
        net,
        [player],
        DATA,
        steps=steps,
        batch_size=4,
        device="cpu",
        on_divergence=policy,  # type: ignore[arg-type]
        callbacks=callbacks,
    )
    return net, history


def numbers_of(step: int, *values: float) -> StepNumbers:
    """Numbers of a step that are not read yet."""
    numbers = StepNumbers(step, 10 * step)
    words = {f"term{i}": f"the loss term 'term{i}'" for i in range(len(values))}
    numbers.add(PLAYER, words, torch.tensor(values))
    return numbers


@pytest.mark.usefixtures("as_on_gpu")
def test_numbers_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps between two logged ones are read together; the names need no look."""
    calls: list[int] = []

    def count(steps: list[StepNumbers]) -> object:
        calls.append(len(steps))
        return read_numbers(steps)

    monkeypatch.setattr("unwarp.training.state.read_numbers", count)
    run(-1, steps=21)
    assert calls == [1, 10, 10, 0]
    numbers = numbers_of(3, 0.5, 0.25)
    assert set(numbers) == {"term0", "term1"} and len(numbers) == 2 and numbers.tensors
    assert dict(numbers) == {"term0": 0.5, "term1": 0.25} and not numbers.tensors


def test_first_lost_number_is_named() -> None:
    """Of several numbers that are not finite, that of the earliest step counts."""
    steps = [numbers_of(1, 1.0), numbers_of(2, 0.0, torch.inf), numbers_of(3, torch.nan)]
    lost = read_numbers(steps)
    assert lost is not None
    assert (lost.step, lost.samples) == (2, 20)
    assert "step 2, player 'net': the loss term 'term1' is inf" in str(lost.error)
    assert read_numbers(steps) is None


def test_scaled_gradient_may_be_lost() -> None:
    """A number that may be infinite is read, and no error."""
    numbers = StepNumbers(1)
    numbers.add(PLAYER, {"net.gradient": "the gradient norm"}, torch.tensor(torch.inf), False)
    assert read_numbers([numbers]) is None and numbers["net.gradient"] == torch.inf


@pytest.mark.usefixtures("as_on_gpu")
def test_lost_step_is_named_later() -> None:
    """The error at a logged step names the earlier step, and nothing comes after it."""
    reader = Reader(100)
    with pytest.raises(DivergenceError, match=r"stopped at step 13, player 'net'.*in rows"):
        run(13, reader)
    assert reader.steps[-1] == 19
    with pytest.raises(DivergenceError, match="stopped at step 13"):
        run(13, reader := Reader(1))
    assert reader.steps[-1] == 13 and len(reader.losses) == 13


def test_cpu_stops_before_the_gradient() -> None:
    """On a CPU nothing is computed from a loss that is not finite."""
    calls: list[int] = []

    class Loss(torch.autograd.Function):
        """A loss that becomes NaN, and counts its gradients."""

        @staticmethod
        def forward(ctx: object, weights: Tensor) -> Tensor:
            """NaN from the third call on."""
            return weights.sum() * (torch.nan if len(calls) == 2 else 1.0)

        @staticmethod
        def backward(ctx: object, gradient: Tensor) -> Tensor:  # type: ignore[override]
            """Count, and return a gradient of ones."""
            calls.append(1)
            return torch.ones(3)

    net = nn.Module()
    net.weights = nn.Parameter(torch.ones(3))
    loss: Any = Loss.apply
    player = Player("net", net, lambda *_: {"error": loss(net.weights)})
    with pytest.raises(DivergenceError, match="stopped at step 2, player 'net'"):
        train(net, [player], DATA, steps=9, batch_size=4, device="cpu")
    assert len(calls) == 2


@pytest.mark.usefixtures("as_on_gpu")
def test_nothing_is_saved_after_a_loss(tmp_path: Path) -> None:
    """A checkpoint that is due before the next logged step is not written."""
    with pytest.raises(DivergenceError, match="step 13"):
        run(13, Checkpoint(tmp_path / "run", interval=4), steps=18)
    checkpoint = Checkpoint(tmp_path / "run", interval=100)
    _, history = run(-1, checkpoint, reader := Reader(100), steps=18)
    assert reader.steps[0] == 12 and history.steps == 18


@pytest.mark.usefixtures("as_on_gpu")
@pytest.mark.parametrize("interval", [1, 4, 100])
def test_way_does_not_depend_on_looks(interval: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever numbers are read, a rollback leads to the same weights and history."""
    monkeypatch.setattr("unwarp.training.divergence.RESTORE_INTERVAL", 5)
    results = []
    for callbacks in ((), (Reader(interval),)):
        net, history = run(13, *callbacks, policy="rollback")
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
        numbers = (rows, history.rollbacks, history.samples, history.steps)
        results.append((numbers, [p.tolist() for p in net.parameters()]))
    assert results[0] == results[1]
    assert [rollback.step for rollback in results[0][0][1]] == [13]


@pytest.mark.usefixtures("as_on_gpu")
def test_error_after_a_loss_is_explained() -> None:
    """If other code fails because of NaN, the error is that of the divergence."""

    class Fragile(Callback):
        """Fails soon after the step."""

        def on_step(self, state: State, terms: Row) -> None:
            """Fail like code that meets NaN."""
            if state.step == 15:
                raise ValueError("input contains NaN")

    with pytest.raises(DivergenceError, match="step 13"):
        run(13, Fragile())
    with pytest.raises(ValueError, match="contains NaN"):
        run(-1, Fragile())


def test_numbers_of_several_dtypes_are_exact() -> None:
    """A number in float64 among those in float32 keeps its digits."""
    numbers = StepNumbers(0)
    numbers.add(PLAYER, {"a": "a"}, torch.tensor([0.1]))
    numbers.add(PLAYER, {"b": "b"}, torch.tensor([0.1], dtype=torch.float64))
    assert (numbers["a"], numbers["b"]) == (float(torch.tensor(0.1)), 0.1)
    assert pending.read_numbers([replace(numbers)]) is None

"""Event files of TensorBoard, read back: each step once, also after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.runs import AUTOENCODER, fit
from tests.weights import weights
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.state import Row, State
from unwarp.training.tensorboard import TensorBoard

pytest.importorskip("tensorboard", reason="the extra track is not installed")


def read(folder: Path) -> Any:
    """All events of a folder, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def text(event: Any) -> str:
    """The text of an event."""
    return bytes(event.tensor_proto.string_val[0]).decode()


class Interrupt(Callback):
    """Ends a run at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the interrupt."""
        if state.step == self.step:
            raise KeyboardInterrupt


def test_events_are_those_of_the_history(tmp_path: Path) -> None:
    """Scalars by name and step, messages and settings; the weights do not change."""
    tracker = TensorBoard(tmp_path)
    tracker.on_message("a decision")
    model, history = fit(AUTOENCODER, (tracker,), steps=25)
    assert torch.equal(weights(model), weights(fit(AUTOENCODER, steps=25)[0]))
    events = read(tmp_path)
    scalars = events.Scalars("loss/reconstruction")
    assert [event.step for event in scalars] == [0, 10, 20, 24]
    values = [row["reconstruction"] for row in history.rows]
    assert [event.value for event in scalars] == pytest.approx(values)
    assert {"gradient/autoencoder", "rate/autoencoder", "progress/seconds"} <= set(
        events.Tags()["scalars"]
    )
    assert text(events.Tensors("messages/text_summary")[0]) == "a decision"
    assert "| batch_size | 16 |" in text(events.Tensors("parameters/text_summary")[0])


@pytest.mark.parametrize("is_last", [False, True], ids=["first", "last"])
def test_resumed_run_has_each_step_once(tmp_path: Path, is_last: bool) -> None:
    """Wherever the checkpoint is in the list, later steps of the killed run are hidden."""
    folder, file = tmp_path / "events", tmp_path / "run.checkpoint"

    def callbacks(*more: Callback) -> tuple[Callback, ...]:
        pair = (Checkpoint(file, interval=10), TensorBoard(folder))
        return (*(pair[::-1] if is_last else pair), *more)

    with pytest.raises(KeyboardInterrupt):
        fit(AUTOENCODER, callbacks(Interrupt(25)), steps=40)
    _, history = fit(AUTOENCODER, callbacks(), steps=40)
    scalars = read(folder).Scalars("loss/reconstruction")
    assert [event.step for event in scalars] == [0, 10, 20, 30, 39]
    values = [row["reconstruction"] for row in history.rows]
    assert [event.value for event in scalars] == pytest.approx(values)

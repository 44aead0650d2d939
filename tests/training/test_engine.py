"""The accelerator: device and precision of a run."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.processes import run_processes
from tests.training.runs import AUTOENCODER, fit
from unwarp.errors import ConfigError
from unwarp.training.engine import make_accelerator


def test_calls_do_not_share_precision() -> None:
    """Each call has its own precision, whatever earlier runs of the process had."""
    requested, precisions = ["no", "bf16", "no"], []
    for precision in requested:
        engine = make_accelerator("cpu", precision)  # type: ignore[arg-type]
        assert engine.device.type == "cpu"
        precisions.append(engine.mixed_precision)
    assert precisions == requested


def test_unknown_choices_are_refused() -> None:
    """The message lists the choices."""
    with pytest.raises(ConfigError, match="precision='fp8' is unknown; choose no, fp16 or bf16"):
        make_accelerator("cpu", "fp8")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="device='abacus' is not available here; choose one of"):
        make_accelerator("abacus")


TWO_PROCESSES = """
import os
from tests.training.runs import AUTOENCODER, fit
from unwarp.training.callbacks import Callback

class Stop(Callback):
    def on_step(self, state, terms):
        if os.environ["RANK"] == "0" and state.step == 4:
            state.stop("enough")

history = fit(AUTOENCODER, (Stop(),), steps=12)[1]
assert (history.steps, history.stopped) == (5, "enough"), history
"""


@pytest.mark.slow
def test_two_processes_stop_together() -> None:
    """A callback that stops the first process alone stops both after the same step."""
    run_processes(["-c", TWO_PROCESSES])


EQUAL_CURVES = """
import hashlib, json
from unwarp.datasets import bumps
from unwarp.models import AE, VAE, Net
from unwarp.data.dataset import Dataset
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.warps import Affine2d, Identity
import torch

class Curve(Callback):
    def on_step(self, state, terms):
        losses.append(sum(value for name, value in terms.items() if "." not in name))

x = torch.rand(48, 1, 12, 12, generator=torch.Generator().manual_seed(0))
net, curves = Net("mlp", (16,), (16,)), []
recipes = (AE(warp=Identity(), net=net), AE(warp=Affine2d(rotation=180), net=net), VAE(net=net))
for recipe in recipes:
    losses, model = [], recipe.build((1, 12, 12), seed=0)
    train(model, recipe.players(model), Dataset(x), steps=8, batch_size=16, callbacks=[Curve()])
    weights = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
    curves.append((losses, hashlib.sha256(weights).hexdigest()))
print(json.dumps(curves))
"""


@pytest.mark.slow
def test_processes_train_as_one_does() -> None:
    """Two processes have the loss curve of one, and equal weights to the bit."""
    one, first, second = (
        json.loads(output) for n in (1, 2) for output in run_processes(["-c", EQUAL_CURVES], n)
    )
    assert first == second
    for (losses, _), (expected, _) in zip(first, one, strict=True):
        np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message gives the next batch size that the processes can share."""
    engine = SimpleNamespace(num_processes=3, process_index=0, device=torch.device("cpu"))
    monkeypatch.setattr("unwarp.training.loop.make_accelerator", lambda *choices: engine)
    with pytest.raises(ConfigError, match=r"batch_size=16 .* 3 processes; .* such as 18"):
        fit(AUTOENCODER, (), steps=1)

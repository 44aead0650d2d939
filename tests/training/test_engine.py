"""The engine: each call has the device and the precision that it names."""

from __future__ import annotations

import pytest

from unwarp.errors import ConfigError
from unwarp.training.engine import accelerator


def test_precision_is_that_of_each_call() -> None:
    """An earlier run in this process leaves nothing behind."""
    found = []
    for precision in ("no", "bf16", "no"):
        engine = accelerator("cpu", precision)  # type: ignore[arg-type]
        assert engine.device.type == "cpu"
        found.append(engine.mixed_precision)
    assert found == ["no", "bf16", "no"]


def test_unknown_choices_are_refused() -> None:
    """The message lists the choices."""
    with pytest.raises(ConfigError, match="precision='fp8' is unknown; choose no, fp16 or bf16"):
        accelerator("cpu", "fp8")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="device='abacus' is not available here; choose one of"):
        accelerator("abacus")

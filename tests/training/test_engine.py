"""The accelerator: device and precision of a run."""

from __future__ import annotations

import pytest

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

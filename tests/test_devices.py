"""Devices are resolved by name."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unwarp.devices import float32_gradients, place, resolve_device
from unwarp.errors import ConfigError


def test_auto_is_an_available_device() -> None:
    """`auto` gives a device that can hold a tensor."""
    assert torch.zeros(1, device=resolve_device("auto")).device.type == resolve_device("auto").type


def test_unknown_device_lists_devices() -> None:
    """The error for an unknown device lists the available ones."""
    assert resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match=r"device='tpu' is not available here; .*cpu, auto"):
        resolve_device("tpu")


def test_settings_of_torch_come_back() -> None:
    """The default dtype and the gradients of the caller are as before, also after an error."""
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            with pytest.raises(ZeroDivisionError), float32_gradients():
                assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()
                raise ZeroDivisionError
            assert torch.get_default_dtype() == torch.float64 and not torch.is_grad_enabled()
    finally:
        torch.set_default_dtype(torch.float32)


def test_placed_module_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module on its device is not moved; one in training is brought to evaluation."""
    module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert place(module, "cpu") is module and not module[1].training
    monkeypatch.setattr(nn.Module, "to", None)
    assert place(module, torch.device("cpu")) is module
    assert place(nn.Flatten(), "cpu").training is False

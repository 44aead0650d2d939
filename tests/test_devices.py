"""Devices are resolved by name."""

from __future__ import annotations

import pytest
import torch

from unwarp.devices import resolve_device
from unwarp.errors import ConfigError


def test_auto_is_an_available_device() -> None:
    """`auto` gives a device that can hold a tensor."""
    assert torch.zeros(1, device=resolve_device("auto")).device.type == resolve_device("auto").type


def test_unknown_device_lists_devices() -> None:
    """The error for an unknown device lists the available ones."""
    assert resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match=r"device='tpu' is not available here; .*cpu, auto"):
        resolve_device("tpu")

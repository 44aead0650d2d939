"""Devices are resolved by name."""

from __future__ import annotations

import pytest
import torch

from unwarp.devices import place
from unwarp.errors import ConfigError


def test_auto_is_an_available_device() -> None:
    """`auto` gives a device that can hold a tensor."""
    assert torch.zeros(1, device=place("auto")).device.type == place("auto").type


def test_unknown_device_lists_devices() -> None:
    """The error for an unknown device lists the available ones."""
    assert place("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match=r"device='tpu' is not available here; .*cpu, auto"):
        place("tpu")

"""Moments of a training step at which the CPU would wait for a GPU.

The device of the run is `meta`. Its tensors have no values, so that each look at a value is seen.
"""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from unwarp.data.dataset import Dataset
from unwarp.models import Recipe
from unwarp.training.slots import copy_weights
from unwarp.training.state import State
from unwarp.training.steps import Run

DEVICE = torch.device("meta")

LOOKS = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "_linalg_check_errors")
"""Operations whose result, or its size, is needed on the CPU."""

CONSTRUCTORS = ("tensor", "as_tensor", "new_tensor")
"""Functions that copy numbers of Python to a device."""


class Engine(SimpleNamespace):
    """The part of an accelerator that a step needs."""

    def __init__(self) -> None:
        super().__init__(device=DEVICE, num_processes=1, process_index=0, scaler=None)

    def prepare_model(self, module: nn.Module) -> nn.Module:
        """The module itself."""
        return module

    def backward(self, loss: Tensor) -> None:
        """Compute gradients."""
        loss.backward()

    def clip_grad_norm_(self, parameters: Any, max_norm: float) -> Tensor:
        """The norm of gradients."""
        return nn.utils.clip_grad_norm_(parameters, max_norm)


class Waits(TorchDispatchMode):
    """Context that lists the operations for which the CPU waits."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note an operation, and run it."""
        name, kwargs = func.overloadpacket.__name__, kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        is_there = [tensor.device == DEVICE for tensor in tensors if tensor.numel()]
        if name in LOOKS and any(is_there):
            self.names.append(name)
        if name == "_to_copy" and is_there:
            is_moved = torch.device(kwargs.get("device") or tensors[0].device) != tensors[0].device
            self.names += ["a copy"] * (is_moved and not kwargs.get("non_blocking"))
        if name == "copy_" and len(set(is_there)) > 1 and not (len(args) > 2 and args[2]):
            self.names.append("a copy")
        if name.startswith("index") and any(is_there):
            dtypes = {leaf.dtype for leaf in tree_leaves(args[1]) if isinstance(leaf, Tensor)}
            self.names += ["a mask as index"] * bool(dtypes & {torch.bool, torch.uint8})
            self.names += ["an index elsewhere"] * (not all(is_there))
        if name == "_local_scalar_dense" and any(is_there):
            return 1  # meta tensors have no values
        return func(*args, **kwargs)


class Constructions(TorchFunctionMode):
    """Context that adds numbers of Python that are copied to the device to a list."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = names

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note a construction, and make it."""
        result, name = func(*args, **(kwargs or {})), getattr(func, "__name__", "")
        is_copied = name in CONSTRUCTORS and not isinstance(args[0], Tensor)
        if (is_copied or name == "new_tensor") and result.device == DEVICE and result.numel():
            self.names.append(f"torch.{name}")
        return result


def waits_of_step(recipe: Recipe, x: Tensor, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Operations of a plain step for which the CPU would wait.

    Args:
        recipe: The recipe of the model.
        x: Training samples.
        monkeypatch: Replaces what torch cannot do on the device.
    """
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())
    model = recipe.build(tuple(x.shape[1:]), seed=0)
    players = recipe.players(model)
    for module in (model, *(player.module for player in players)):
        module.to(DEVICE).train()
    optimisers = tuple(torch.optim.AdamW(player.module.parameters()) for player in players)
    averages = tuple(copy_weights(p.module) if p.ema else {} for p in players)
    state = State(model, players, optimisers, averages, steps=1000, seed=0, step=1)
    steps = Run.of(state, Dataset(x), Engine(), 8).steps()  # type: ignore[arg-type]
    with Waits():
        next(steps)  # makes the constants
    with Waits() as waits, Constructions(waits.names):
        numbers = next(steps)
    assert list(numbers) and state.step % 10 and not state.history.rows
    return waits.names

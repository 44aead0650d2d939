"""Hooks of a module in a run: no work by default."""

from __future__ import annotations

import torch

from unwarp.models.hooks import Hooks


def test_hooks_do_nothing_by_default() -> None:
    """No updates, and no change of the samples."""
    x, hooks = torch.ones(2, 3), Hooks()
    hooks.update(x)
    hooks.finish(x)
    assert hooks.begin(x) == () and hooks.n_updates == 0 and torch.equal(x, torch.ones(2, 3))

"""Folds of trials: every series is held out at most once."""

from __future__ import annotations

import torch

from unwarp.estimators.trials import folds


def test_folds_hold_out_a_series_once() -> None:
    """Few series have three folds; all others of a fold are trained on."""
    for n, count in ((12, 3), (100, 3), (101, 2), (250, 2), (251, 1)):
        splits = list(folds(n, 0))
        assert len(splits) == count
        held_out = torch.cat([rows for _, rows in splits])
        assert len(held_out.unique()) == len(held_out)
        for training, rows in splits:
            assert sorted([*training.tolist(), *rows.tolist()]) == list(range(n))

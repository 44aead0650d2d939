"""The training loop, its history, and callbacks that observe a run."""

from __future__ import annotations

from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import History, Row, State

__all__ = ["Callback", "History", "Row", "State", "train"]

"""The one training loop, what it carries, and who looks on."""

from __future__ import annotations

from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import History, Row, State

__all__ = ["Callback", "History", "Row", "State", "train"]

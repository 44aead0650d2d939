"""The training loop, its history, and callbacks that observe a run.

`train` trains a model by the players of its recipe and returns a `History`. Progress bars
(`training.progress`) and checkpoints (`training.checkpoint`) are callbacks; write further ones as
subclasses of `Callback`, with hooks that get the `State` of the run.
"""

from __future__ import annotations

from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import History, Row, State

__all__ = ["Callback", "History", "Row", "State", "train"]

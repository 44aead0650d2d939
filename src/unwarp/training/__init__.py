"""The training loop, its history, and callbacks that observe a run.

`train` trains a model with the players of its recipe and returns a `History`. A player is a module
with its loss and its optimiser. Progress bars (`training.progress`) and checkpoints
(`training.checkpoint`) are callbacks. Write your own as a subclass of `Callback`, with methods that
get the `State` of the run.
"""

from __future__ import annotations

from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import History, Row, State
from unwarp.training.validation import Validation

__all__ = ["Callback", "History", "Row", "State", "Validation", "train"]

"""Connected processes: one decides, all learn."""

from __future__ import annotations

import pytest

from tests.processes import run_processes
from unwarp.errors import ProcessError
from unwarp.processes import run_once, told_loss

ONCE = """
import os
from torch import nn
import torch
from unwarp.errors import DataError
from unwarp.launch import count_processes
from unwarp.processes import run_once, share_weights

rank = os.environ["RANK"]
assert run_once(lambda: (rank, count_processes())) == ("0", 1)
assert count_processes() == 2

def fail():
    raise DataError("X is empty")

try:
    run_once(fail)
except DataError as error:
    assert str(error) == "X is empty"
else:
    raise AssertionError("no error")
module = nn.BatchNorm1d(2)
nn.init.constant_(module.weight, float(rank))
share_weights(module)
assert module.weight.tolist() == [0.0, 0.0]
print("done")
"""


@pytest.mark.slow
def test_result_of_the_first_is_shared() -> None:
    """All processes get the result, the error, and the weights of the first one."""
    assert run_processes(["-c", ONCE]) == ["done\n", "done\n"]


ESTIMATOR = """
import hashlib, os, time
import numpy as np
if os.environ["RANK"] == "1":
    time.sleep(0.5)
from unwarp import Unwarper

x = np.random.default_rng(0).random((32, 12, 12))
options = {"n_clusters": 2, "content": "joint", "refine": "none", "random_state": None}
for precision in ("no", "bf16"):
    u = Unwarper("affine", max_seconds=2, precision=precision, device="cpu", **options).fit(x)
    weights = b"".join(value.numpy().tobytes() for value in u.model_.state_dict().values())
    print(hashlib.sha256(weights).hexdigest(), u.history_.steps, u.labels_.tolist())
"""


@pytest.mark.slow
def test_estimators_of_processes_are_equal() -> None:
    """Also with a random seed, a limit of time that began at other times, and rounded numbers."""
    first, second = run_processes(["-c", ESTIMATOR])
    assert first == second and len(first.splitlines()) == 2


def test_one_process_runs_itself() -> None:
    """Without other processes the function simply runs."""
    assert run_once(lambda: 7) == 7


def test_lost_process_is_told() -> None:
    """An error of the connection becomes one with a remedy; other errors stay as they are."""
    told = r"lost at step 3 .*start all processes again"
    with pytest.raises(ProcessError, match=told), told_loss("at step 3"):
        raise RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer")
    with pytest.raises(RuntimeError, match="shape") as info, told_loss("at step 3"):
        raise RuntimeError("shape mismatch")
    assert type(info.value) is RuntimeError

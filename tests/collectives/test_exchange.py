"""Exchange between processes without shared memory, and of gradients."""

from __future__ import annotations

import pytest
from torch import nn

from tests.processes import run_processes
from unwarp.collectives.exchange import share_gradients

SCRIPT = """
import sys
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from unwarp.collectives import exchange
from unwarp.processes import connect_processes

connect_processes("cpu")
rank = distributed.get_rank()
if sys.argv[1] == "apart":
    exchange.shared_memory = lambda: None
x = torch.tensor([1.0 + rank, 10.0])
assert torch.equal(exchange.gather(x), torch.tensor([[1.0, 10.0], [2.0, 10.0]]))
torch.manual_seed(0)
net = nn.Linear(700, 900)  # more than two slots
module = exchange.share_gradients(DistributedDataParallel(net))
inputs = torch.randn(2, 5, 700)
module(inputs[rank]).square().sum().backward()
parts = [torch.autograd.grad(net(part).square().sum(), net.weight)[0] for part in inputs]
torch.testing.assert_close(net.weight.grad, (parts[0] + parts[1]) / 2)
print("equal")
"""


@pytest.mark.slow
@pytest.mark.parametrize("memory", ["shared", "apart"])
def test_gradients_are_means(memory: str) -> None:
    """With and without shared memory, gradients are the means over processes."""
    assert run_processes(["-c", SCRIPT, memory]) == ["equal\n", "equal\n"]


def test_module_of_one_process_stays() -> None:
    """A module that is not data-parallel is returned as it is."""
    module = nn.Linear(2, 2)
    assert share_gradients(module) is module

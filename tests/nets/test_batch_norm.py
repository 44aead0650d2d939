"""Batch normalisation of processes is that of one process with all rows."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.processes import run_processes
from unwarp.nets.batch_norm import SharedBatchNorm, shared_batch_norms

SCRIPT = """
import os
import torch
from torch import distributed, nn
from unwarp.nets.batch_norm import SharedBatchNorm
from unwarp.processes import connect_processes

connect_processes("cpu")
rank = int(os.environ["RANK"])
torch.manual_seed(0)
x = torch.randn(8, 3, dtype=torch.float64)
norm = nn.BatchNorm1d(3).double()
nn.init.uniform_(norm.weight)
shared = SharedBatchNorm.of(nn.BatchNorm1d(3).double())
shared.load_state_dict(norm.state_dict())
whole, part = x.clone().requires_grad_(), x[rank::2].clone().requires_grad_()
weights = torch.randn(8, 3, dtype=torch.float64)
y, z = norm(whole), shared(part)
torch.testing.assert_close(z, y[rank::2])
(y * weights).sum().backward()
(z * weights[rank::2]).sum().backward()
torch.testing.assert_close(part.grad, whole.grad[rank::2])
distributed.all_reduce(shared.weight.grad)
torch.testing.assert_close(shared.weight.grad, norm.weight.grad)
for name, value in norm.state_dict().items():
    torch.testing.assert_close(shared.state_dict()[name], value)
print("equal")
"""


@pytest.mark.slow
def test_processes_share_moments() -> None:
    """Outputs, gradients and running moments equal those of one process."""
    assert run_processes(["-c", SCRIPT]) == ["equal\n", "equal\n"]


def test_evaluation_is_that_of_torch() -> None:
    """Without training the shared normalisation needs no other process."""
    norm, x = nn.BatchNorm1d(2), torch.rand(4, 2)
    assert torch.equal(SharedBatchNorm.of(norm.eval())(x), norm(x))


def test_context_leaves_modules_as_before() -> None:
    """Inside, normalisations are shared ones with the same weights; outside, the old ones."""
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    norm, names = net[1], list(net.state_dict())
    with shared_batch_norms([net, net]):
        assert isinstance(net[1], SharedBatchNorm) and net[1].weight is norm.weight
        assert list(net.state_dict()) == names
        net.eval()
    assert net[1] is norm and not norm.training

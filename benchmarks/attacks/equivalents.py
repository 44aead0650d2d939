"""Equivalent mutants: changes that nobody can observe, so that no test can notice them."""

from __future__ import annotations

from collections.abc import Mapping

EQUIVALENTS: Mapping[str, str] = {
    "checksums.py: : other number: 24 -> 25": (
        "the size of the blocks changes the memory of a checksum, not the checksum"
    ),
    "disk/locks.py: Owner: other number: 0 -> 1": (
        "the default of `thread` only fills a field that `is_alive` does not read"
    ),
    "models/losses.py: _check_unit_interval: other number: 0.0 -> 1.0": (
        "the range of a batch without rows may be any within [0, 1]"
    ),
    "models/losses.py: gaussian_energy: no sign: -1 -> +1": (
        "estimates have two axes (N, D), so that axis -1 is axis 1"
    ),
    "models/losses.py: gaussian_rate: no sign: -1 -> +1": (
        "rates have two axes (N, D), so that axis -1 is axis 1"
    ),
    "models/posterior.py: GaussianHead.forward: no sign: -1 -> +1": (
        "outputs of a network have two axes (N, 2 D), so that axis -1 is axis 1"
    ),
    "warps/similarity.py: Similarity2d.theta: no sign: -1 -> +1": (
        "angle and scale are rows (N,), so that the new axis -1 is axis 1"
    ),
    "warps/chain.py: Chain.constrain: no sign: -1 -> +1": (
        "theta has two axes (N, P), so that axis -1 is axis 1"
    ),
    "warps/cpab.py: CpabTime._fit: comparison: step.abs() < torch.finfo(step.dtype).eps ** 0.75 "
    "-> step.abs() <= torch.finfo(step.dtype).eps ** 0.75": (
        "a step of exactly this size ends the fit one step earlier, within its precision"
    ),
    "warps/cpab.py: _expm1_over: other number: 120 -> 121": (
        "the last term changes the sum by 7e-17 of it, less than float64 can hold"
    ),
    "warps/piecewise.py: _shares_to_speed: no sign: -1 -> +1": (
        "shares have two axes (N, K), so that axis -1 is axis 1"
    ),
}
"""Reasons by the label of a mutant."""

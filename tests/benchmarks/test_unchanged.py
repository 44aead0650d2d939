"""The comparison of numbers sees every change, and none where there is none."""

from __future__ import annotations

import torch
from benchmarks.unchanged import differences, digest, family, recorded


def test_digest_depends_on_bits_and_order() -> None:
    """Equal tensors have one digest; a bit or another order changes it."""
    first, second = torch.zeros(3), torch.ones(2)
    assert digest([first, second]) == digest([first.clone(), second.clone()])
    assert digest([first, second]) != digest([second, first])
    assert digest([first]) != digest([torch.nextafter(first, torch.ones(3))])


def test_differences_name_their_jobs() -> None:
    """Changed scores, changed weights, and jobs of one side alone."""
    before = {"a": {"scores": {"x": 1.0}, "weights": ["1"]}, "b": {"scores": {}, "weights": []}}
    assert differences(before, before) == []
    after = {"a": {"scores": {"x": 1.0}, "weights": ["2"]}, "c": {"scores": {}, "weights": []}}
    assert differences(before, after) == ["a", "b", "c"]


def test_family_run_repeats() -> None:
    """Two runs of one job give one digest and the same losses."""
    digests: list[str] = []
    with recorded(digests):
        assert family("ae") == family("ae")
    assert len(digests) == 2 and digests[0] == digests[1]

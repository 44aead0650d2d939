"""Mean pictures of one thing share a frame, those of different things do not."""

from __future__ import annotations

import torch

from unwarp.models.registration import generators
from unwarp.models.shared_frames import shared_frames
from unwarp.warps import AffineMap, Similarity2d

SIZE = 24


def spots(scale: float, tail: float = 0.2) -> torch.Tensor:
    """A smooth asymmetric picture (1, SIZE, SIZE) of some size."""
    axis = torch.linspace(-1, 1, SIZE) / scale
    places = ((-0.3, 0.0), (0.3, tail))
    return torch.stack(
        [torch.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / 0.06) for x, y in places]
    ).sum(0)[None]


def test_sizes_of_one_thing_share_a_frame() -> None:
    """A thing and one of 1.8 times its size have frames with this ratio of scales."""
    pictures = torch.stack([spots(0.5), spots(0.9)])
    basis = generators(Similarity2d().bind((SIZE, SIZE)))
    weights, counts = torch.ones(2, 1, SIZE, SIZE), torch.tensor([4, 6])
    frames, things = shared_frames(pictures, weights, basis, counts)
    assert things.tolist() == [0, 0]
    matrix = AffineMap(frames[:1]).compose(AffineMap(frames[1:]).invert()).parts[0].reference
    assert abs(float(matrix[0, 0, 0]) - 0.5 / 0.9) < 0.05


def test_other_things_keep_their_frame() -> None:
    """Things of another shape have their own number and the identity as frame."""
    pictures = torch.stack([spots(0.6), spots(0.6, 9.0)])
    basis = generators(Similarity2d(scale=1.2).bind((SIZE, SIZE)))
    weights, counts = torch.ones(2, 1, SIZE, SIZE), torch.tensor([6, 5])
    frames, things = shared_frames(pictures, weights, basis, counts)
    assert things.tolist() == [0, 1]
    assert torch.equal(frames, torch.eye(2, 3).expand(2, 2, 3))

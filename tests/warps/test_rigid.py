"""Rigid maps: similarities of scale 1."""

from __future__ import annotations

import torch

from tests.warps.affine_maps import FRAME
from unwarp.warps import Rigid2d, Similarity2d


def test_rigid_is_similarity_of_scale_one() -> None:
    """A rigid map equals the similarity of scale 1, and its summary has no scale."""
    rigid, similarity = Rigid2d(size=FRAME), Similarity2d(size=FRAME)
    theta = torch.tensor([[0.3, 0.1, -0.4]], dtype=torch.float64)
    similarity_theta = torch.tensor([[0.3, 0.0, 0.1, -0.4]], dtype=torch.float64)
    torch.testing.assert_close(rigid.map(theta).matrix, similarity.map(similarity_theta).matrix)
    assert [f.name for f in rigid.summary(rigid.map(theta))] == [
        "rotation_deg",
        "shift_x_px",
        "shift_y_px",
    ]

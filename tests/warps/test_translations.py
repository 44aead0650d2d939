"""Translations move whole pictures, exactly, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from benchmarks.cases.images import CASES, Case, scatter

from unwarp import AE, Unwarper
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.warps import Affine2d, Rigid2d, Translation2d, deform, to_matrix
from unwarp.warps.affine_map import affine_part

FRAME = (20, 30)
WARP = Translation2d().bind(FRAME)


def test_translations_equal_rigid_maps() -> None:
    """They are the rigid maps without a rotation, with the same columns of theta and in pixels."""
    theta = torch.tensor([[0.25, -0.5], [0.0, 1.0]])
    rigid = Rigid2d().bind(FRAME)
    same = rigid.map(torch.cat([torch.zeros(2, 1), theta], -1))
    map, points = WARP.map(theta), torch.eye(2)
    assert torch.equal(map.push(points), same.push(points))
    columns = {f.name: column for f, column in WARP.summary(map).items()}
    assert columns["shift_x_px"].tolist() == [3.75, 0.0]
    assert columns["shift_y_px"].tolist() == [-5.0, 10.0]
    assert torch.equal(WARP.from_columns(columns), theta)
    with pytest.raises(ConfigError, match="columns shift_y_px are missing; 'translation' needs"):
        WARP.from_columns({"shift_x_px": columns["shift_x_px"]})


def test_translation_of_any_map_is_a_shift() -> None:
    """Theta of an affine map is the movement of its centre."""
    map = Affine2d().bind(FRAME).sample(5, torch.Generator().manual_seed(0))
    moved = map.push(torch.zeros(1, 2))[:, 0]
    torch.testing.assert_close(WARP.theta(map), moved)


def test_translation_needs_a_range() -> None:
    """A family that moves nothing is no translation."""
    with pytest.raises(ConfigError, match=r"shift=0 is out of range; .* or the warp 'identity'"):
        Translation2d(shift=0)


@pytest.mark.parametrize("start", ["learned", "centroid"])
def test_shifted_cells_are_aligned(start: str) -> None:
    """Network, centring and refinement stay in the family, and shifts agree to .1 pixel."""
    generator = torch.Generator().manual_seed(0)
    warp = Translation2d(shift=0.15).bind((28, 28))
    still = torch.from_numpy(CASES["plain"](seed=0, n=1).x).float()[:, None] / 255
    map = warp.sample(30, generator)
    x = deform(still.expand(30, -1, -1, -1), map)[:, 0].numpy()
    recipe = AE(warp=Translation2d(), n_content=2, net=Net("mlp", (16,), (16,)), start=start)
    model = Unwarper(
        recipe=recipe, refine="gauss-newton", max_steps=20, n_clusters=2, device="cpu"
    ).fit(x)
    matrices = model.to_matrix(x)
    linear = affine_part(model.model_.pose(model.prepare(x))).matrix[..., :2]
    assert np.allclose(matrices[:, :2, :2], np.eye(2), atol=1e-5)
    torch.testing.assert_close(linear, torch.eye(2).expand_as(linear), atol=1e-5, rtol=0)
    points = np.array([[10.0, 12.0], [18.0, 16.0], [14.0, 20.0]])
    case = Case(x, to_matrix(map, (28, 28), "pixel").numpy(), points, np.zeros(30))
    assert scatter(matrices, case)[1] < 0.1
    assert list(model.transform_params(x)) == ["shift_x_px", "shift_y_px"]

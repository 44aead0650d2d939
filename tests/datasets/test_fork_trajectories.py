"""Fork trajectories: channels first, speeds as labels, unit quaternions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.datasets import fork_trajectories
from unwarp.errors import DataError

FOLDER = "fork-trajectories"


@pytest.mark.parametrize(("part", "counts"), [("train", [77, 81, 82]), ("test", [38, 34, 33])])
def test_published_sizes_and_speeds(real_data: Path, part: str, counts: list[int]) -> None:
    """Parts have the published number of series at each speed."""
    data = fork_trajectories.load(part, real_data / FOLDER)
    assert data.shape == (7, 200) and data.labels is not None
    speeds, sizes = np.unique(data.labels, return_counts=True)
    assert speeds.tolist() == ["fs", "sf", "ss"] and sizes.tolist() == counts


def test_unscaled_quaternions_are_unit(real_data: Path) -> None:
    """Once the scaling is inverted, quaternions have the norm 1."""
    data = fork_trajectories.load("test", real_data / FOLDER)
    with np.load(real_data / FOLDER / "forkTrajectoryData.npz", allow_pickle=False) as file:
        poses = (
            data.x.double().numpy().transpose(0, 2, 1) / file["pose_scaling"] + file["pose_mean"]
        )
    np.testing.assert_allclose(np.linalg.norm(poses[..., 3:], axis=-1), 1, atol=1e-3)


def test_other_fork_files_are_refused(tmp_path: Path) -> None:
    """An absent file, another shape and an unknown part are refused."""
    with pytest.raises(DataError, match="set UNWARP_DATA"):
        fork_trajectories.load("train", tmp_path)
    np.savez(
        tmp_path / "forkTrajectoryData.npz",
        train=np.zeros((2, 3, 7)),
        train_names_info=["ss1", "ss2"],
    )
    with pytest.raises(DataError, match=r"should have poses \(N, 200, 7\), it has \(2, 3, 7\)"):
        fork_trajectories.load("train", tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        fork_trajectories.load("test", tmp_path)
    with pytest.raises(DataError, match="train or test"):
        fork_trajectories.load("valid", tmp_path)

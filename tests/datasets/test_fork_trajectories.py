"""Fork trajectories: channels first, speeds as labels, unit quaternions once the scaling is undone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.datasets import fork_trajectories
from unwarp.errors import DataError

FOLDER = "fork-trajectories"


@pytest.mark.parametrize(("part", "counts"), [("train", [77, 81, 82]), ("test", [38, 34, 33])])
def test_sizes_and_speeds_are_the_published_ones(
    real_data: Path, part: str, counts: list[int]
) -> None:
    data = fork_trajectories.load(part, real_data / FOLDER)
    assert data.shape == (7, 200) and data.labels is not None
    speeds, found = np.unique(data.labels, return_counts=True)
    assert speeds.tolist() == ["fs", "sf", "ss"] and found.tolist() == counts


def test_undoing_the_scaling_gives_unit_quaternions(real_data: Path) -> None:
    data = fork_trajectories.load("test", real_data / FOLDER)
    with np.load(real_data / FOLDER / "forkTrajectoryData.npz", allow_pickle=False) as file:
        poses = (
            data.x.double().numpy().transpose(0, 2, 1) / file["pose_scaling"] + file["pose_mean"]
        )
    np.testing.assert_allclose(np.linalg.norm(poses[..., 3:], axis=-1), 1, atol=1e-3)


def test_what_is_absent_or_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set UNWARP_DATA"):
        fork_trajectories.load("train", tmp_path)
    np.savez(
        tmp_path / "forkTrajectoryData.npz",
        train=np.zeros((2, 3, 7)),
        train_names_info=["ss1", "ss2"],
    )
    with pytest.raises(DataError, match=r"should hold poses \(N, 200, 7\), it holds \(2, 3, 7\)"):
        fork_trajectories.load("train", tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        fork_trajectories.load("test", tmp_path)
    with pytest.raises(DataError, match="train or test"):
        fork_trajectories.load("valid", tmp_path)

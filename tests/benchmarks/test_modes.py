"""The benchmark of pose modes: sets, common angles, and particles seen several times."""

from __future__ import annotations

import numpy as np
import pandas as pd
from benchmarks.cases.images import repeat_particles

from benchmarks import modes


def test_set_is_the_fewest_modes() -> None:
    """Weights of .5, .4 and .1 need two modes, a weight of .95 one."""
    tables = [
        pd.DataFrame({"rotation_deg": [1.0, 2.0, 3.0], "weight": [0.5, 0.4, 0.1]}),
        pd.DataFrame({"rotation_deg": [7.0, 8.0], "weight": [0.95, 0.05]}),
    ]
    assert [list(angles) for angles in modes.sets(tables)] == [[1.0, 2.0], [7.0]]


def test_common_angle_is_that_of_most() -> None:
    """Views that are half a turn off do not move it, nor does the end of the circle."""
    offsets = np.array([[179.0, -179.0, -180.0, 0.0, 90.0]]).T
    assert modes.difference(modes.common_angle(offsets), np.array([180.0])).max() < 1e-9


def test_repeated_particles_differ_in_angle() -> None:
    """Views of one particle are of one kind, at other angles and with other noise."""
    x, angles = repeat_particles(seed=3, n=6, repeats=2)
    assert x.shape == (2, 6, 32, 32) and angles.shape == (2, 6)
    assert modes.difference(angles[0], angles[1]).min() > 0.01
    assert not np.array_equal(x[0], x[1])

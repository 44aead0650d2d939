"""Pose modes: all poses that explain a sample, with their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from unwarp.analysis.tables import tabulate
from unwarp.core import Array
from unwarp.devices import place, resolve_device
from unwarp.errors import ConfigError
from unwarp.estimators.alignment import Alignment
from unwarp.models.pose_modes import PoseModes, has_modes

PICTURES_PER_CHUNK = 128
"""Number of pictures that are encoded at once at all starts."""

WEIGHT = "weight"
"""Name of the column of weights."""


class Modes(Alignment):
    """Mixin that gives `Unwarper` all poses that explain a sample.

    >>> import numpy as np
    >>> from unwarp import Rigid2d, Unwarper
    >>> X = np.random.default_rng(0).random((8, 12, 12))
    >>> unwarper = Unwarper(Rigid2d(rotation=180), max_steps=1, n_clusters=2).fit(X)
    >>> tables = unwarper.pose_modes(X)
    >>> len(tables), list(tables[0]), round(float(tables[0]["weight"].sum()), 3)
    (8, ['rotation_deg', 'shift_x_px', 'shift_y_px', 'weight'], 1.0)
    """

    mode_temperature_: float | None

    def pose_modes(self, X: Any, *, times: Any = None) -> list[pd.DataFrame]:
        """The poses that explain each sample, with their weights.

        The pose of a picture is searched from several start angles, over the range of the warp,
        and refined as for `transform_params`. Poses within 5 degrees and a fiftieth of the
        picture's side are one mode. Weights follow from the errors of the reconstructions, and are
        calibrated in `fit`: in about nine of ten pictures, one of the fewest modes with weights
        that sum to .9 is within 10 degrees of the pose, if the modes of such pictures hold it. A
        sample of a warp that does not turn has one mode.

        Args:
            X: N samples.
            times: Time stamps, as for `fit`.

        Returns:
            N tables with a row for each mode, the most probable first: the columns of
            `transform_params`, and `weight`; the weights of a table sum to 1.

        Raises:
            DataError: The samples do not fit the model.
            ConfigError: An earlier version saved the model, without the calibration.
        """
        samples = self.prepare_samples(X, times)
        if not has_modes(self.model_):
            return _single(self.transform_params(samples))
        if self.mode_temperature_ is None:
            raise ConfigError(
                "an earlier version saved the model, without the calibration of pose_modes; fit it "
                "again, or take transform_params"
            )
        device, chart, tables = resolve_device(self.device), self._chart, []
        place(self.model_, device)
        for rows in samples.chunks():
            x = samples[rows].to(device)
            for part in torch.split(x, PICTURES_PER_CHUNK):
                modes = PoseModes.of(self.model_, part, self.refinement_)
                table = tabulate(modes.map, chart)
                table[WEIGHT] = modes.weights(self.mode_temperature_).cpu().numpy()
                table.attrs["units"][WEIGHT] = ""
                tables += _split(table, modes.rows.cpu().numpy())
        place(self.model_, "cpu")
        return tables


def _split(table: pd.DataFrame, rows: Array) -> list[pd.DataFrame]:
    """The modes of each sample, numbered from 0."""
    edges = np.flatnonzero(np.diff(rows)) + 1
    bounds = zip([0, *edges], [*edges, len(rows)], strict=True)
    return [table.iloc[start:end].reset_index(drop=True) for start, end in bounds]


def _single(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Tables with the one mode of each sample."""
    table = table.assign(**{WEIGHT: np.float32(1.0)})
    table.attrs["units"] = {**table.attrs["units"], WEIGHT: ""}
    return _split(table, np.arange(len(table)))

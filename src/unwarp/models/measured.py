"""Content codes that a fixed rule measures, instead of a network.

A measured code is made after the pose was learned (`unwarp.training.settle`): the pose is frozen,
the rule is fitted to the training samples, and a new decoder learns templates from its codes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from unwarp.core import Domain
from unwarp.distances import ValuesAndSlopes
from unwarp.distances.values_and_slopes import MAX_STEPS, mean_and_nearest, shorten

N_LANDMARKS = 128
"""Greatest number of landmarks, the training series to which distances are measured."""

MIN_EIGENVALUE_SHARE = 1e-3
"""Least eigenvalue of a column of the code, as a share of the greatest; less is rounding."""

MAX_NEAREST_RATIO = 0.85
"""Greatest ratio of the mean distance to the nearest other series, aligned over raw, at which codes
are those of aligned series."""


class MeasuredContent(nn.Module, ABC):
    """Base of measured content codes: a module without trainable weights.

    A subclass defines `fit`, which sets the buffers of the rule, and `forward`, which returns the
    codes (N, D) of inputs and None in place of log standard deviations. It is made from the shape
    of an input, without mask channels, and the size of the code. Its class attributes say for
    which samples it is, and how a decoder learns to draw templates from its codes.

    Attributes:
        sees_aligned: Whether the codes are those of aligned samples.
        noun: Word for the samples that it is for, a class attribute.
        default_size: Default size of a code, a class attribute.
        needs_whole_frame: Whether templates must fill the whole frame, a class attribute.
        settling_steps: Greatest number of training steps of the decoder, a class attribute.
        settling_batches: Samples of a step of the decoder, as a multiple of those of a step of the
            joint training, a class attribute.
        settling_noise: Standard deviation of the noise on codes while a decoder is trained, as a
            multiple of `noise_sd` of `unwarp.training.settling`, a class attribute.
    """

    sees_aligned: Tensor | bool
    noun: ClassVar[str]
    default_size: ClassVar[int]
    needs_whole_frame: ClassVar[bool] = False
    settling_steps: ClassVar[int]
    settling_batches: ClassVar[int] = 1
    settling_noise: ClassVar[float] = 1.0

    @abstractmethod
    def __init__(self, shape: tuple[int, ...], n_content: int, n_mask_channels: int = 0) -> None:
        super().__init__()

    @staticmethod
    @abstractmethod
    def suits(domain: Domain) -> bool:
        """Whether samples of a domain have such codes.

        Args:
            domain: Any domain.
        """

    @abstractmethod
    def fit(self, x: Tensor, aligned: Tensor | None = None) -> None:
        """Set all numbers of the rule.

        Args:
            x: Training samples (N, C, ...) in random order, mask channels included.
            aligned: The same samples with their deformations undone; None without a warp.
        """


class ElasticCode(MeasuredContent):
    """Codes of series by multidimensional scaling of an elastic distance to landmarks.

    The landmarks are up to 128 training series. Classical scaling of their distances gives each of
    them a code, and the distances of a new series to the landmarks determine its code (de Silva and
    Tenenbaum 2004, Sparse multidimensional scaling using landmark points). With the matrix D of
    distances between landmarks, their means mu and the largest eigenvalues w and eigenvectors V of
    the doubly centred -D / 2, the code of a series with the distances d is

        -(d - mu) V / (2 sqrt(w)),

    in units in which the first column has standard deviation 1. No distance counts as less than
    that of a landmark to the nearest other landmark: else a training series would be nearer to
    itself than any new series of its kind, and its code would not be comparable with theirs.

    There is nothing to train by gradients. `fit` sets all numbers, which a saved model contains.

    Args:
        shape: Shape of a series (C, T).
        n_content: Size D of the code. With few landmarks the last columns are 0.
        n_mask_channels: Number of mask channels that follow the channels of a series in an input.

    Attributes:
        landmarks: Landmarks (128, C, min(T, 128)); rows that are not used are 0, and so are missing
            values.
        is_missing: Where landmarks have missing values, of the same shape.
        n_landmarks: Number of landmarks.
        sees_aligned: Whether the codes are those of aligned series.

    >>> x = torch.randn(9, 1, 30, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    >>> code = ElasticCode((1, 30), n_content=4)
    >>> code.fit(x)
    >>> code(x)[0].shape
    torch.Size([9, 4])
    """

    noun = "series"
    default_size = 64
    needs_whole_frame = True
    settling_steps = 400
    landmarks: Tensor
    is_missing: Tensor
    n_landmarks: Tensor
    floors: Tensor
    means: Tensor
    axes: Tensor
    sees_aligned: Tensor
    sds: Tensor
    units: Tensor

    def __init__(self, shape: tuple[int, ...], n_content: int, n_mask_channels: int = 0) -> None:
        super().__init__(shape, n_content, n_mask_channels)
        n_channels, n_steps = shape[0], min(shape[1], MAX_STEPS)
        self.n_mask_channels = n_mask_channels
        size = (N_LANDMARKS, n_channels, n_steps)
        self.register_buffer("landmarks", torch.zeros(size))
        self.register_buffer("is_missing", torch.zeros(size, dtype=torch.bool))
        self.register_buffer("n_landmarks", torch.tensor(0))
        self.register_buffer("floors", torch.zeros(N_LANDMARKS))
        self.register_buffer("means", torch.zeros(N_LANDMARKS))
        self.register_buffer("axes", torch.zeros(N_LANDMARKS, n_content))
        self.register_buffer("sds", torch.ones(2, n_channels))
        self.register_buffer("units", torch.ones(3))
        self.register_buffer("sees_aligned", torch.tensor(False))

    @staticmethod
    def suits(domain: Domain) -> bool:
        """Whether samples of a domain are series.

        Args:
            domain: Any domain.
        """
        return domain.has_times

    @property
    def distance(self) -> ValuesAndSlopes:
        """The elastic distance in the units of the training series."""
        value_sds, slope_sds = map(tuple, self.sds.tolist())
        adtw, values, changes = self.units.tolist()
        return ValuesAndSlopes(value_sds, slope_sds, (adtw, values, changes))

    @torch.no_grad()
    def fit(
        self,
        x: Tensor,
        aligned: Tensor | None = None,
        weights: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> None:
        """Choose landmarks among training series, and compute the axes of the code.

        Args:
            x: Training series (N, C, T) in random order, followed by mask channels if there are
                any.
            aligned: The same series with their deformations undone; None without a warp. Codes are
                made of them if the nearest other series of a series becomes nearer, by the elastic
                distance in the units of the raw series.
            weights: Weights of the three parts of the distance.
        """
        self.sees_aligned.fill_(False)
        series = shorten(self.series(x[:N_LANDMARKS]))
        distance = ValuesAndSlopes.of(series).weighted(weights)
        matrix = distance(series, series)
        if aligned is not None and len(series) > 1:
            candidate = shorten(self.series(aligned[:N_LANDMARKS]))
            _, after = mean_and_nearest(distance(candidate, candidate))
            ratio = after / max(mean_and_nearest(matrix)[1], 1e-12)
            self.sees_aligned.fill_(ratio < MAX_NEAREST_RATIO)
            if self.sees_aligned:
                series, distance = candidate, ValuesAndSlopes.of(candidate).weighted(weights)
                matrix = distance(series, series)
        self._scale(matrix.double())
        n = len(series)
        self.landmarks.zero_()
        self.landmarks[:n] = series.nan_to_num(0.0)
        self.is_missing.fill_(False)
        self.is_missing[:n] = series.isnan()
        self.n_landmarks.fill_(n)
        self.sds.copy_(self.sds.new_tensor([distance.value_sds, distance.slope_sds]))
        self.units.copy_(self.units.new_tensor(distance.units))

    def _scale(self, matrix: Tensor) -> None:
        """Set the axes of the code from the distances of all landmarks (n, n)."""
        n = len(matrix)
        off_diagonal = matrix.clone().fill_diagonal_(torch.inf)
        floors = off_diagonal.amin(1) if n > 1 else matrix.new_zeros(n)
        floored = torch.maximum(matrix, floors)
        floored = (floored + floored.T) / 2
        means = floored.mean(0)
        centred = floored - means - means[:, None] + means.mean()
        values, vectors = torch.linalg.eigh(-centred / 2)
        # the largest first, and the largest entry of each eigenvector positive
        values, vectors = values.flip(0), vectors.flip(1)
        keep = values > MIN_EIGENVALUE_SHARE * values[0].clamp_min(1e-12)
        values, vectors = (part[..., keep][..., : self.axes.shape[1]] for part in (values, vectors))
        signs = vectors.gather(0, vectors.abs().argmax(0)[None]).sign()
        axes = -vectors * signs / (2 * values.sqrt())
        codes = (torch.maximum(matrix, floors) - means) @ axes
        sd = codes[:, 0].std(correction=0) if axes.shape[1] else axes.new_ones(())
        for buffer in (self.floors, self.means, self.axes):
            buffer.zero_()
        self.floors[:n], self.means[:n] = floors, means
        self.axes[:n, : axes.shape[1]] = axes / sd

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """The codes of series.

        Args:
            x: Series (N, C, T) without NaN, followed by their mask channels if there are any: 1 for
                observed values, 0 in gaps.

        Returns:
            Codes (N, D), and None in place of log standard deviations: measured codes have none.
        """
        return self.measure(self.series(x)), None

    @torch.no_grad()
    def measure(self, x: Tensor) -> Tensor:
        """Codes (N, D) by elastic distances to the landmarks.

        Args:
            x: Series (N, C, T), NaN in gaps.
        """
        n = int(self.n_landmarks)
        landmarks = torch.where(self.is_missing[:n], torch.nan, self.landmarks[:n])
        distances = torch.maximum(self.distance(x, landmarks), self.floors[:n])
        codes: Tensor = (distances - self.means[:n]) @ self.axes[:n]
        return codes

    def series(self, x: Tensor) -> Tensor:
        """Series (N, C, T), NaN in gaps, of inputs with mask channels."""
        if not self.n_mask_channels:
            return x
        sizes = [x.shape[1] - self.n_mask_channels, self.n_mask_channels]
        values, masks = torch.split(x, sizes, 1)
        return torch.where(masks < 0.5, torch.nan, values)

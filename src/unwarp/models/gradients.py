"""Content codes of pictures: principal components of oriented gradients.

Gradients are those of the aligned picture, so a code does not depend on the pose.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Domain
from unwarp.models.measured import MeasuredContent

N_ANGLES = 8
"""Number of directions of the gradient, evenly spaced on the full circle."""

SHARPNESS = 4
"""Power of the cosine between a gradient and a direction; greater ones separate directions more."""

MIN_BLUR_PX, MAX_BLUR_PX, BLURS_PER_SIDE = 0.6, 1.5, 16
"""Standard deviation of the Gaussian blur of gradients in pixels: a share of the picture's longest
side, within two bounds."""

STRIDE = 2
"""Distance of the pixels at which gradients enter the code."""

MAX_SIDE = 48
"""Greatest side of a picture in pixels; larger pictures are averaged to it."""

MIN_MAGNITUDE = 1e-6
"""Least magnitude of a gradient; less is rounding."""

MIN_EIGENVALUE_SHARE = 1e-6
"""Least eigenvalue of a column of the code, as a share of the greatest; less is rounding."""

N_SPARE_AXES, N_ITERATIONS = 16, 12
"""Axes beyond those of the code, and iterations, in the search for principal axes."""

N_SAMPLES_PER_CHUNK = 256
"""Number of pictures whose gradients are computed at once, to bound the memory."""


class GradientCode(MeasuredContent):
    """Codes of pictures by principal components of their oriented gradients.

    Let g be the gradient of a picture at a pixel, the mean over its channels, and u_k one of 8
    directions. The strength of the gradient in this direction is

        max(0, g . u_k)^4 / |g|^3,

    blurred by a Gaussian of 1.5 pixels (less in small pictures), at every second pixel, and its
    square root is a feature (cf. Dalal and Triggs 2005, Histograms of oriented gradients for human
    detection). A picture with several channels has its mean colour as further features: the mean of
    each channel less the mean of all, as if every pixel of the grid had it. So a grey picture has
    the code that it has in one channel.

    The code is the projection of the features on their principal axes, each column divided by the
    fourth root of its eigenvalue, which is between principal components and whitened ones, in units
    in which the first column has standard deviation 1.

    There is nothing to train by gradients. `fit` sets all numbers, which a saved model contains.

    Args:
        shape: Shape of a picture (C, H, W).
        n_content: Size D of the code. With few pictures the last columns are 0.
        n_mask_channels: Number of mask channels: 0, since pictures have no gaps.

    Attributes:
        means: Means of the features (F,).
        axes: Scaled principal axes (F, D).

    >>> x = torch.rand(9, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    >>> code = GradientCode((1, 12, 12), n_content=4)
    >>> code.fit(x)
    >>> code(x)[0].shape
    torch.Size([9, 4])
    """

    noun = "images"
    default_size = 24
    settling_steps = 1000
    settling_batches = 2
    settling_noise = 0.25
    means: Tensor
    axes: Tensor
    directions: Tensor
    kernel: Tensor
    sees_aligned = True

    def __init__(self, shape: tuple[int, ...], n_content: int, n_mask_channels: int = 0) -> None:
        super().__init__(shape, n_content, n_mask_channels)
        n_channels, *size = shape
        share = min(1.0, MAX_SIDE / max(size))
        height, width = (max(1, round(share * side)) for side in size)
        self.size = (height, width)
        self.is_reduced = share < 1
        n_points = math.prod(-(-side // STRIDE) for side in self.size)
        self.colour_weight = math.sqrt(n_points)
        n_features = N_ANGLES * n_points + (n_channels if n_channels > 1 else 0)
        self.register_buffer("means", torch.zeros(n_features))
        self.register_buffer("axes", torch.zeros(n_features, n_content))
        blur_px = min(max(max(self.size) / BLURS_PER_SIDE, MIN_BLUR_PX), MAX_BLUR_PX)
        angles = torch.arange(N_ANGLES) * (2 * math.pi / N_ANGLES)
        directions = torch.stack([angles.cos(), angles.sin()], 1)
        self.register_buffer("directions", directions, persistent=False)
        self.register_buffer("kernel", _gaussian(blur_px), persistent=False)

    @staticmethod
    def suits(domain: Domain) -> bool:
        """Whether samples of a domain have two axes, none of them time.

        Args:
            domain: Any domain.
        """
        return len(domain.axes) == 2 and not domain.has_times

    @torch.no_grad()
    def fit(self, x: Tensor, aligned: Tensor | None = None) -> None:
        """Compute the axes of the code.

        Args:
            x: Training pictures (N, C, H, W).
            aligned: The same pictures with their deformations undone; None without a warp.
        """
        x = x if aligned is None else aligned
        features = torch.cat([self.features(part) for part in torch.split(x, N_SAMPLES_PER_CHUNK)])
        means = features.mean(0)
        n_axes = min(self.axes.shape[1], len(x) - 1, features.shape[1])
        sds, vectors = principal_axes(features - means, n_axes)
        keep = sds.square() > MIN_EIGENVALUE_SHARE * sds[:1].square().clamp_min(1e-12)
        sds, vectors = sds[keep], vectors[:, keep]
        self.means.copy_(means)
        self.axes.zero_()
        self.axes[:, : len(sds)] = vectors / (sds * sds[:1]).sqrt()

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """The codes of pictures.

        Args:
            x: Aligned pictures (N, C, H, W).

        Returns:
            Codes (N, D), and None in place of log standard deviations: measured codes have none.
        """
        # eight strengths for each pixel of many pictures at once would fill the memory; a traced
        # graph takes batches of any size and has no loop over their parts
        chunks = (x,) if torch.compiler.is_compiling() else torch.split(x, N_SAMPLES_PER_CHUNK)
        parts = (self.features(part) for part in chunks)
        return torch.cat([(part - self.means) @ self.axes for part in parts]), None

    def features(self, x: Tensor) -> Tensor:
        """Oriented gradients and mean colours of pictures.

        Args:
            x: Pictures (N, C, H, W).

        Returns:
            Features (N, F).
        """
        x = F.adaptive_avg_pool2d(x, self.size) if self.is_reduced else x
        strengths = self._strengths(x.mean(1, keepdim=True)).clamp_min(0.0)
        features = strengths.sqrt().flatten(1)
        if x.shape[1] == 1:
            return features
        colours = x.mean((2, 3))
        colours = (colours - colours.mean(1, keepdim=True)) * self.colour_weight
        return torch.cat([features, colours], 1)

    def _strengths(self, grey: Tensor) -> Tensor:
        """Blurred strengths of gradients (N, 8, h, w) of pictures (N, 1, H, W), on the grid."""
        padded = F.pad(grey, (1, 1, 1, 1), mode="replicate")
        gx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
        gy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
        magnitude = (gx.square() + gy.square()).sqrt().clamp_min(MIN_MAGNITUDE)
        cosines, sines = self.directions.T[:, :, None, None]
        along = (gx * cosines + gy * sines).clamp_min(0.0)
        strengths = along.pow(SHARPNESS) / magnitude.pow(SHARPNESS - 1)
        return _blurred(_blurred(strengths, self.kernel, 2), self.kernel, 3)


def _gaussian(sd: float) -> Tensor:
    """Weights of a Gaussian at whole pixels up to three standard deviations; their sum is 1."""
    radius = math.ceil(3 * sd)
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sd) ** 2)
    return weights / weights.sum()


def _blurred(x: Tensor, kernel: Tensor, axis: int) -> Tensor:
    """Maps (N, K, H, W), blurred along an axis, at every second pixel of it; 0 outside."""
    n_maps, radius = x.shape[1], len(kernel) // 2
    weights = kernel.reshape((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
    stride, padding = ((STRIDE, 1), (radius, 0)) if axis == 2 else ((1, STRIDE), (0, radius))
    weights = weights.expand(n_maps, *weights.shape[1:])
    return F.conv2d(x, weights, stride=stride, padding=padding, groups=n_maps)


def principal_axes(x: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Standard deviations along the principal axes of features, and the axes.

    The axes are found by subspace iteration from a fixed start (Halko, Martinsson and Tropp 2011,
    Finding structure with randomness).

    Args:
        x: Centred features (N, F).
        n: Number of axes, at most N and F.

    Returns:
        Standard deviations (n,), descending, and unit axes (F, n), the largest entry of each
        positive.
    """
    generator = torch.Generator().manual_seed(0)
    n_columns = min(n + N_SPARE_AXES, *x.shape)
    basis = torch.randn(x.shape[1], n_columns, generator=generator).to(x)
    for _ in range(N_ITERATIONS):
        basis = torch.linalg.qr(x.T @ (x @ basis)).Q
    _, values, rotation = torch.linalg.svd(x @ basis, full_matrices=False)
    axes = (basis @ rotation.T)[:, :n]
    signs = axes.gather(0, axes.abs().argmax(0)[None]).sign()
    return values[:n] / math.sqrt(len(x)), axes * signs

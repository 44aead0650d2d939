"""Windows, lattices and resampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from tests.pictures import smooth_noise
from unwarp.errors import ConfigError
from unwarp.warps import IdentityMap, Padding, Window, resample
from unwarp.warps.affine_map import translation
from unwarp.warps.window import check_padding

FRAME = (24, 32)


def test_lattice_is_at_pixel_centres() -> None:
    """Points are pixel centres row by row, x first."""
    lattice = Window.frame((2, 4)).lattice(torch.zeros(1))
    expected = [(x, y) for y in (-0.5, 0.5) for x in (-0.75, -0.25, 0.25, 0.75)]
    torch.testing.assert_close(lattice, torch.tensor(expected))


def test_series_lattice_ends_at_samples() -> None:
    """Times run from 0 at the first sample to 1 at the last one."""
    torch.testing.assert_close(
        Window.frame((3,)).lattice(torch.zeros(1)), torch.tensor([[0.0], [0.5], [1.0]])
    )
    assert Window.frame((1,)).lattice(torch.zeros(1)).shape == (1, 1)


@pytest.mark.parametrize("like", [torch.float32, torch.float64])
def test_lattice_has_dtype_of_like(like: torch.dtype) -> None:
    """The lattice has the dtype of the tensor that is passed."""
    assert Window.frame((3, 3)).lattice(torch.zeros(1, dtype=like)).dtype == like


@pytest.mark.parametrize("n", [1, 2, 9, 28, 45])
def test_crop_is_on_grid_of_frame(n: int) -> None:
    """Samples of a crop are samples of its frame, and about the asked share of them."""
    for frame, excess in ((Window.frame((n, 1)), 0), (Window.frame((n,)), int(n > 1))):
        pixels = frame.lattice(torch.zeros(1, dtype=torch.float64))
        for share in np.linspace(0.01, 1, 34):
            crop = frame.crop(float(share))
            distance = (crop.lattice(pixels)[:, None] - pixels).abs().amax(-1)
            assert distance.amin(1).max() < 1e-12
            assert crop.extent[0] == pytest.approx((crop.size[0] - excess) / (n - excess))
            assert abs(crop.size[0] - share * n) <= max(1, (3 if excess else 2) - share * n) + 1e-9


def test_crop_applies_to_all_axes() -> None:
    """Both axes are cropped, and a share of 1 gives the frame itself."""
    frame = Window.frame((20, 40))
    assert frame.crop(1.0) == frame
    assert frame.crop(0.7) == Window((14, 28), (0.7, 0.7))
    assert frame.crop(0.5).crop(0.5).extent == (0.3, 0.25)


def test_window_reads_its_pixels() -> None:
    """A crop reads the central pixels, and zeros surround it on the frame."""
    x = smooth_noise(2, FRAME)
    frame = Window.frame(FRAME)
    middle = IdentityMap(2)(x, frame, frame.crop(0.5))
    torch.testing.assert_close(middle, x[:, :, 6:18, 8:24])
    restored = IdentityMap(2)(middle, frame.crop(0.5), frame)
    torch.testing.assert_close(restored[:, :, 6:18, 8:24], middle)
    assert restored[:, :, :5].abs().max() == 0 and restored[:, :, :, -7:].abs().max() == 0


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_resample_agrees_with_scipy(padding: Padding) -> None:
    """Pictures are read as SciPy reads them, in and around the frame."""
    x, random = smooth_noise(1, FRAME, channels=2), np.random.default_rng(0)
    points = random.uniform(-1.4, 1.4, (200, 2))
    rows, columns = ((points[:, 1] + 1) * 24 - 1) / 2, ((points[:, 0] + 1) * 32 - 1) / 2
    mode = {"zeros": "grid-constant", "border": "nearest", "reflection": "reflect"}[padding]
    expected = [
        map_coordinates(c.numpy(), [rows, columns], order=1, mode=mode) for c in x[0].double()
    ]
    target = Window.frame((10, 20))
    values = resample(
        x.double(), torch.as_tensor(points)[None], Window.frame(FRAME), target, padding
    )
    np.testing.assert_allclose(values[0].reshape(2, -1), np.stack(expected), atol=1e-12)


def test_resample_interpolates_series() -> None:
    """Halfway between two samples a series has their mean."""
    x = torch.tensor([[[0.0, 1.0, 4.0, 9.0]]])
    points = torch.tensor([[[0.0], [0.5 / 3], [0.5], [2.5 / 3]]])
    values = resample(x, points, Window.frame((4,)), Window.frame((4,)))
    torch.testing.assert_close(values, torch.tensor([[[0.0, 0.5, 2.5, 6.5]]]))


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_series_resample_agrees_with_scipy(padding: Padding) -> None:
    """Series are read as SciPy reads them, in and around their frame."""
    x, times = (
        smooth_noise(1, (3, 20)).double()[0],
        np.random.default_rng(0).uniform(-0.6, 1.6, 200),
    )
    mode = {"zeros": "grid-constant", "border": "nearest", "reflection": "mirror"}[padding]
    expected = [map_coordinates(c.numpy(), [times * 19], order=1, mode=mode) for c in x[0]]
    values = resample(
        x, torch.as_tensor(times)[None, :, None], Window.frame((20,)), Window.frame((200,)), padding
    )
    np.testing.assert_allclose(values[0], np.stack(expected), atol=1e-12)


@pytest.mark.parametrize(
    ("padding", "numpy_mode"),
    [("zeros", "constant"), ("border", "edge"), ("reflection", "symmetric")],
)
def test_padding_agrees_with_numpy(padding: Padding, numpy_mode: str) -> None:
    """Pixels beyond the edge are those of NumPy's padding."""
    x = smooth_noise(1, FRAME)
    shifted = translation(torch.tensor([[2 * 5 / 32, -2 * 3 / 24]]))(x, padding=padding)
    picture, widths = x[0, 0].numpy(), ((0, 3), (5, 0))
    padded = np.pad(picture, widths, mode=numpy_mode)  # type: ignore[call-overload]
    np.testing.assert_allclose(shifted[0, 0].numpy(), padded[3:, :32], atol=1e-5)


def test_check_padding_refuses_unknown() -> None:
    """An unknown padding is refused with the list of paddings."""
    with pytest.raises(ConfigError, match="zeros, border, reflection"):
        check_padding("circular")


def test_window_has_an_extent_per_axis() -> None:
    """A window with fewer extents than axes has no grid."""
    window = Window((4, 6), (1.0,))
    for attempt in (lambda: window.crop(0.5), lambda: window.lattice(torch.zeros(0))):
        with pytest.raises(ValueError, match="zip"):
            attempt()

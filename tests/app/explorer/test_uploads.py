"""Own samples: pictures are brought to the form of the model, numbers are checked."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from unwarp.app.explorer import uploads
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import Refusal
from unwarp.app.explorer.uploads import prepared_file, prepared_values
from unwarp.errors import DataError


def png(pixels: np.ndarray) -> bytes:
    """The content of a file of a picture."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_picture_of_the_collection_is_itself(images: Exploration) -> None:
    """A file of a sample gives the sample, scaled as the model takes it."""
    samples = images.collection.samples
    assert samples is not None
    own = prepared_file(images.viewer, "x.png", png(samples.samples[6, 0]))
    np.testing.assert_allclose(own[:], samples[6:7], atol=1e-3)


def test_pictures_are_resized(mirrors: Exploration) -> None:
    """A large grey picture has the mean of its parts in each pixel and channel."""
    pixels = np.zeros((20, 28), np.uint8)
    pixels[:, 14:] = 200
    own = prepared_file(mirrors.viewer, "x.png", png(pixels))
    assert own.samples.shape == (1, 3, 10, 14)
    scaled = own.full(np.arange(1))
    assert float(scaled[..., 7:].min()) == pytest.approx(200 / 255, abs=0.02)


def test_huge_pictures_are_refused(images: Exploration, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is measured before it is decoded."""
    monkeypatch.setattr(uploads, "MAX_PIXELS", 99)
    with pytest.raises(Refusal, match="million pixels"):
        prepared_file(images.viewer, "x.png", png(np.zeros((10, 10), np.uint8)))


def test_numbers_without_channels(images: Exploration, series: Exploration) -> None:
    """Only models of one channel take samples without an axis of channels."""
    x = np.zeros((2, 20, 20))
    assert len(prepared_values(images.viewer, x.tolist())) == 2
    with pytest.raises(Refusal, match=r"give \(n, 2, 24\)"):
        prepared_values(series.viewer, np.zeros((2, 24)).tolist())


def test_many_samples_are_refused(series: Exploration, tmp_path: object) -> None:
    """A call takes at most 256 samples, as numbers or as a file."""
    x = np.random.default_rng(0).normal(size=(257, 2, 24))
    with pytest.raises(Refusal, match="at most 256"):
        prepared_values(series.viewer, x)
    file = io.BytesIO()
    np.save(file, x)
    with pytest.raises(Refusal, match="at most 256"):
        prepared_file(series.viewer, "x.npy", file.getvalue())


def test_values_without_numbers_are_refused(images: Exploration) -> None:
    """The message is that of the estimator."""
    with pytest.raises(DataError):
        prepared_values(images.viewer, np.full((1, 20, 20), np.nan).tolist())

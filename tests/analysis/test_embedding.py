"""Embeddings as arrays: chunks of bounded memory change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unwarp.analysis.embedding import embed
from unwarp.errors import ConfigError, DataError
from unwarp.models import AE, Net
from unwarp.warps import Affine2d

SMALL = Net("mlp", (16,), (16,))
X = torch.rand(40, 1, 10, 10, generator=torch.Generator().manual_seed(0)).round()


def test_chunks_do_not_change_embedding() -> None:
    """Chunks of samples give the arrays of the whole."""
    model = AE(warp=Affine2d(), n_content=3, net=SMALL).build((1, 10, 10))
    whole, parts = embed(model, X), embed(model, X, chunk_size=7)
    np.testing.assert_allclose(whole.codes, parts.codes, atol=1e-5)
    np.testing.assert_allclose(whole.x_hat, parts.x_hat, atol=1e-5)


@pytest.mark.parametrize(
    "x", [None, "x.npy", X.numpy(), X[:0], X[..., ::2], X.long(), X * torch.nan, X + 1j, X[0, 0, 0]]
)
def test_other_samples_are_refused(x: Any) -> None:
    """Anything but a tensor of finite samples of the shape of the model."""
    model = AE(warp=Affine2d(), n_content=3, net=SMALL).build((1, 10, 10))
    with pytest.raises(DataError, match=r"^x.*; give "):
        embed(model, x)
    with pytest.raises(ConfigError, match=r"^chunk_size=0 is not allowed"):
        embed(model, X, chunk_size=0)
    with pytest.raises(ConfigError, match=r"^model=.* is not allowed; give a Model"):
        embed(AE(), X)  # type: ignore[arg-type]

"""Interpolation between samples: ends, geometry, and chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp

from tests.analysis.random_models import SMALL, X, constant_decoder, random_model, reconstruct
from unwarp.analysis.interpolation import interpolate, interpolate_chunks, slerp, unwrap_angles
from unwarp.core import Factor
from unwarp.errors import ConfigError, DataError
from unwarp.models import AE
from unwarp.models.latent import Latent
from unwarp.warps import Affine2d, Identity


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_ends_are_reconstructions(path: str) -> None:
    """The way starts and ends at the reconstructions, by even steps of theta."""
    model = random_model()
    walk = interpolate(model, X[0], X[5], 6, path)  # type: ignore[arg-type]
    latent, x_hat = reconstruct(model, X[[0, 5]])
    torch.testing.assert_close(
        walk.content[[0, -1]], latent.content, atol=0 if path == "linear" else 1e-6, rtol=1e-6
    )
    torch.testing.assert_close(walk.x_hat[[0, -1]], x_hat, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        walk.templates[[0, -1]], model.template(latent.content), atol=1e-6, rtol=0
    )
    assert not torch.equal(walk.theta[0], walk.theta[-1])
    steps = walk.theta.diff(dim=0)
    torch.testing.assert_close(steps, steps[:1].expand_as(steps), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_equal_ends_are_constant(path: str) -> None:
    """Between a sample and itself nothing changes."""
    walk = interpolate(random_model(), X[2], X[2], 5, path)  # type: ignore[arg-type]
    for rows in (walk.content, walk.theta, walk.templates, walk.x_hat):
        assert torch.equal(rows, rows[:1].expand_as(rows))


def test_slerp_agrees_with_scipy() -> None:
    """It is the interpolation of unit quaternions by SciPy."""
    first, last = (Rotation.random(random_state=seed).as_quat() for seed in (3, 4))
    last = last if first @ last > 0 else -last
    t = np.linspace(0, 1, 7)
    expected = Slerp([0, 1], Rotation.from_quat(np.stack([first, last])))(t).as_quat()
    expected *= np.sign(expected @ first)[:, None]
    points = slerp(torch.tensor(first)[None], torch.tensor(last)[None], torch.tensor(t)[:, None])
    np.testing.assert_allclose(points.numpy(), expected, atol=1e-9)


def test_slerp_keeps_norm() -> None:
    """An arc between codes of one norm keeps it, a line does not."""
    a = torch.randn(1, 12, generator=torch.Generator().manual_seed(0))
    b = torch.randn(1, 12, generator=torch.Generator().manual_seed(1))
    b *= a.norm() / b.norm()
    t = torch.linspace(0, 1, 9)[:, None]
    torch.testing.assert_close(slerp(a, b, t).norm(dim=1), a.norm().expand(9))
    assert torch.lerp(a, b, t).norm(dim=1).min() < 0.9 * a.norm()


def test_slerp_of_collinear_codes_is_line() -> None:
    """Codes on one line through the origin are joined by that line."""
    a = torch.tensor([[1.0, 2.0]])
    t = torch.linspace(0, 1, 5)[:, None]
    for b in (-a, 3 * a, torch.zeros(1, 2)):
        torch.testing.assert_close(slerp(a, b, t), torch.lerp(a, b, t))


def test_angles_take_shortest_way() -> None:
    """Angles and periodic columns go the shortest way round."""
    model = random_model(warp=Affine2d(rotation=180.0))
    theta = torch.zeros(2, 6)
    theta[:, 0] = torch.tensor([170.0, -170.0]).deg2rad()
    latent = Latent(torch.zeros(2, 4), model.warp.map(theta))
    with patch.object(model, "embed", return_value=latent):
        walk = interpolate(model, X[0], X[1], 5)
    torch.testing.assert_close(
        walk.theta[:, 0].rad2deg(), torch.tensor([170.0, 175.0, 180.0, 185.0, 190.0])
    )
    phase, plain = Factor("phase", "s", 0.0, 4.0, periodic=True), Factor("shift", "px", -2.0, 2.0)
    unwrapped = unwrap_angles(torch.tensor([3.5, 1.5]), torch.tensor([0.5, -1.5]), (phase, plain))
    torch.testing.assert_close(unwrapped, torch.tensor([-0.5, 1.5]))


@pytest.mark.parametrize(
    ("sizes", "names"), [((1, 3), ("chunk 1", "chunk 2")), ((), [f"content {i}" for i in range(4)])]
)
def test_chunks_change_one_at_a_time(sizes: tuple[int, ...], names: Sequence[str]) -> None:
    """Each row changes one chunk from the first sample to the last."""
    model = random_model(warp=Affine2d(shift=0.2, scale=1.2))
    latent, x_hat = reconstruct(model, X[[0, 5]])
    walk = interpolate_chunks(model, X[0], X[5], sizes, 5)
    assert walk.labels == (*names, "deformation")
    torch.testing.assert_close(walk.values, torch.linspace(0, 1, 5).expand(len(walk.labels), 5))
    torch.testing.assert_close(walk.x[:, 0], x_hat[:1].expand_as(walk.x[:, 0]), atol=1e-5, rtol=0)
    for row, columns in enumerate(torch.arange(4).split(list(sizes or (1, 1, 1, 1)))):
        half, whole = latent.content[:1].clone(), latent.content[:1].clone()
        half[:, columns] = latent.content.mean(0)[columns]
        whole[:, columns] = latent.content[1, columns]
        expected = model.reconstruct(
            Latent(torch.cat([half, whole]), latent.map[torch.tensor([0, 0])])
        )
        torch.testing.assert_close(walk.x[row, [2, 4]], expected, atol=1e-5, rtol=0)
    deformed = model.reconstruct(Latent(latent.content[:1], latent.map[torch.tensor([1])]))
    torch.testing.assert_close(walk.x[-1, -1:], deformed, atol=1e-5, rtol=0)
    assert (walk.x[:, -1] - walk.x[:, 0]).flatten(1).abs().amax(1).min() > 1e-3


def test_single_chunk_is_interpolation() -> None:
    """One chunk of all dimensions is the interpolation."""
    model = random_model(warp=Identity())
    walk = interpolate_chunks(model, X[0], X[5], (4,), 6)
    assert walk.labels == ("chunk 1",)
    assert torch.equal(walk.x[0], interpolate(model, X[0], X[5], 6).x_hat)


def test_deformation_takes_shortest_way() -> None:
    """Angles of the last row go the shortest way round."""
    model = AE(warp=Affine2d(rotation=180.0), n_content=4, net=SMALL).build((1, 12, 12)).eval()
    theta = torch.zeros(2, 6)
    theta[:, 0] = torch.tensor([170.0, -170.0]).deg2rad()
    latent = Latent(torch.zeros(2, 4), model.warp.map(theta))
    encoder = patch.object(model, "embed", return_value=latent)
    with encoder, constant_decoder(model, X[:1]):
        middle = interpolate_chunks(model, X[0], X[1], (4,), 3).x[-1, 1:2]
    torch.testing.assert_close(middle, X[:1].flip(2, 3))


@pytest.mark.parametrize(
    ("walk", "error", "words"),
    [
        (
            lambda m: interpolate(m, X[0], X[1], path="round"),
            ConfigError,
            "choose one of linear, spherical",
        ),
        (lambda m: interpolate(m, X[0], X[1, :, :6]), DataError, r"\(N, 1, 12, 12\)"),
        (lambda m: interpolate(m, X[0], X[1], 1), ConfigError, "n=1"),
        (lambda m: interpolate_chunks(m, X[0], X[1], (2, 1)), ConfigError, "n_content=4"),
        (lambda m: interpolate_chunks(m, X[0], X[1], (5, -1)), ConfigError, "at least 1"),
        (lambda m: interpolate_chunks(m, X[0], X[1], n=1), ConfigError, "n=1"),
    ],
)
def test_invalid_arguments_are_refused(walk: object, error: type[Exception], words: str) -> None:
    """The error names the argument."""
    with pytest.raises(error, match=words):
        walk(random_model())  # type: ignore[operator]

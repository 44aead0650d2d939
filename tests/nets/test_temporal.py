"""Temporal networks: lengths, causality, gradients, and the detail of series."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unwarp.nets.net import Net
from unwarp.nets.temporal import Detail, TemporalDecoder, TemporalEncoder

LENGTHS = [8, 9, 15, 31, 32, 60, 128, 131, 275, 1000]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_tcn_accepts_any_length(length: int, channels: int, causal: bool) -> None:
    """Series of 8 samples or more give codes, logits, and series of that length."""
    net, shape = Net("tcn", channels=8, causal=causal), (channels, length)
    encoder, decoder = net.build_encoder(shape, 5), net.build_decoder(5, shape)
    codes = encoder(torch.rand(2, *shape))
    assert codes.shape == (2, 5)
    assert decoder(codes).shape == (2, *shape)
    assert net.build_critic(shape)(torch.rand(2, *shape)).shape == (2, 1)


@pytest.mark.parametrize("causal", [False, True])
def test_all_tcn_weights_have_gradients(causal: bool) -> None:
    """Each weight of encoder and decoder takes part in the output."""
    net, shape = Net("tcn", channels=8, causal=causal), (2, 45)
    encoder, decoder = net.build_encoder(shape, 4), net.build_decoder(4, shape)
    decoder(encoder(torch.rand(6, *shape))).square().sum().backward()
    weights = {n: p for part in (encoder, decoder) for n, p in part.named_parameters()}
    assert [
        name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0
    ] == []


@pytest.mark.parametrize("causal", [False, True])
def test_tcn_ignores_batch(causal: bool) -> None:
    """A code or a decoded series does not depend on its batch, even in training mode."""
    net, shape = Net("tcn", channels=8, causal=causal), (2, 50)
    for part, x in (
        (net.build_encoder(shape, 4), torch.rand(5, *shape)),
        (net.build_decoder(4, shape), torch.randn(5, 4)),
    ):
        torch.testing.assert_close(part.train()(x)[2:3], part(x[2:3]))
        assert not list(part.buffers())


@pytest.mark.parametrize("causal", [False, True])
def test_causal_encoder_ignores_future(causal: bool) -> None:
    """Features before a change of the series stay the same if the encoder is causal."""
    encoder = TemporalEncoder((1, 96), 3, 8, causal).double()
    x = torch.rand(1, 1, 96, dtype=torch.float64)
    changed = x.clone()
    changed[..., 41:] += 1
    is_changed = (encoder.features(x) != encoder.features(changed)).any(1)[0]
    assert is_changed.nonzero()[0].item() == (11 if causal else 0)
    assert is_changed[11:].all()


@pytest.mark.parametrize("causal", [False, True])
def test_causal_decoder_ignores_future(causal: bool) -> None:
    """Samples before a change of the seed stay the same if the decoder is causal."""
    decoder = TemporalDecoder(3, (2, 96), 8, causal).double()
    decoder.seed = nn.Identity()
    seed = torch.rand(1, 8, 12, dtype=torch.float64)
    changed = seed.clone()
    changed[..., 6:] += 1
    is_changed = (decoder(seed) != decoder(changed)).any(1)[0]
    assert is_changed[48:].all()
    assert bool(is_changed[:48].any()) != causal


@pytest.mark.parametrize("causal", [False, True])
def test_tcn_gradients_are_right(causal: bool) -> None:
    """Gradients agree with finite differences in double precision."""
    net = Net("tcn", channels=8, causal=causal)
    encoder, decoder = (
        net.build_encoder((1, 12), 2).double(),
        net.build_decoder(2, (1, 12)).double(),
    )
    x = torch.rand(2, 1, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: decoder(encoder(x)), (x,))


def test_tcn_repeats_by_seed() -> None:
    """The same seed gives the same weights, another seed others."""

    def reconstruct(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        net = Net("tcn", channels=8)
        encoder, decoder = net.build_encoder((1, 40), 4), net.build_decoder(4, (1, 40))
        reconstruction: torch.Tensor = decoder(encoder(torch.linspace(0, 1, 80).reshape(2, 1, 40)))
        return reconstruction

    assert torch.equal(reconstruct(3), reconstruct(3))
    assert not torch.equal(reconstruct(3), reconstruct(4))


def test_detail_is_slope_and_ripple() -> None:
    """Slopes and ripples are scaled by their root mean square and clipped at 4."""
    t = torch.arange(64.0)
    ramp, ripple = 0.5 * t, (-1.0) ** t
    x, slope, ripples = Detail()(torch.stack([ramp, 10 * ramp]).unsqueeze(1)).unbind(1)
    assert torch.equal(x[0], ramp)
    torch.testing.assert_close(slope[:, 8:-8], torch.full((2, 48), float(slope[0, 20])))
    torch.testing.assert_close(slope[0], slope[1])
    assert ripples[:, 8:-8].abs().max() < 1e-4
    wave = torch.sin(t / 10)
    _, _, ripples = Detail()((wave + 0.01 * ripple)[None, None]).unbind(1)
    middle = ripples[0, 8:-8]
    assert float((middle * ripple[8:-8]).mean()) > 0.2
    assert ripples.abs().max() <= 4
    assert torch.isfinite(Detail()(torch.full((1, 2, 8), 3.0))).all()

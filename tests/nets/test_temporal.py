"""Networks along time: lengths, causality, gradients, and the detail that encoders see."""

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
def test_series_of_any_length_to_numbers_and_back_through_time(
    length: int, channels: int, causal: bool
) -> None:
    net, shape = Net("tcn", channels=8, causal=causal), (channels, length)
    encoder, decoder = net.encode(shape, 5), net.decode(5, shape)
    codes = encoder(torch.rand(2, *shape))
    assert codes.shape == (2, 5)
    assert decoder(codes).shape == (2, *shape)
    assert net.criticise(shape)(torch.rand(2, *shape)).shape == (2, 1)


@pytest.mark.parametrize("causal", [False, True])
def test_every_weight_in_time_takes_part(causal: bool) -> None:
    net, shape = Net("tcn", channels=8, causal=causal), (2, 45)
    encoder, decoder = net.encode(shape, 4), net.decode(4, shape)
    decoder(encoder(torch.rand(6, *shape))).square().sum().backward()
    weights = {n: p for part in (encoder, decoder) for n, p in part.named_parameters()}
    assert [
        name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0
    ] == []


@pytest.mark.parametrize("causal", [False, True])
def test_a_series_does_not_depend_on_its_batch_even_in_training(causal: bool) -> None:
    net, shape = Net("tcn", channels=8, causal=causal), (2, 50)
    for part, x in (
        (net.encode(shape, 4), torch.rand(5, *shape)),
        (net.decode(4, shape), torch.randn(5, 4)),
    ):
        torch.testing.assert_close(part.train()(x)[2:3], part(x[2:3]))
        assert not list(part.buffers())


@pytest.mark.parametrize("causal", [False, True])
def test_a_causal_encoder_sees_nothing_that_comes_later(causal: bool) -> None:
    encoder = TemporalEncoder((1, 96), 3, 8, causal).double()
    x = torch.rand(1, 1, 96, dtype=torch.float64)
    other = x.clone()
    other[..., 41:] += 1
    moved = (encoder.features(x) != encoder.features(other)).any(1)[0]
    assert moved.nonzero()[0].item() == (11 if causal else 0)
    assert moved[11:].all()


@pytest.mark.parametrize("causal", [False, True])
def test_a_causal_decoder_draws_each_time_from_the_seeds_before_it(causal: bool) -> None:
    decoder = TemporalDecoder(3, (2, 96), 8, causal).double()
    decoder.seed = nn.Identity()
    seed = torch.rand(1, 8, 12, dtype=torch.float64)
    other = seed.clone()
    other[..., 6:] += 1
    moved = (decoder(seed) != decoder(other)).any(1)[0]
    assert moved[48:].all()
    assert bool(moved[:48].any()) != causal


@pytest.mark.parametrize("causal", [False, True])
def test_networks_in_time_work_in_double_precision_and_have_right_gradients(causal: bool) -> None:
    net = Net("tcn", channels=8, causal=causal)
    encoder, decoder = net.encode((1, 12), 2).double(), net.decode(2, (1, 12)).double()
    x = torch.rand(2, 1, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: decoder(encoder(x)), (x,))


def test_the_same_seed_gives_the_same_network_in_time() -> None:
    def made(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        net = Net("tcn", channels=8)
        return net.decode(4, (1, 40))(
            net.encode((1, 40), 4)(torch.linspace(0, 1, 80).reshape(2, 1, 40))
        )

    assert torch.equal(made(3), made(3))
    assert not torch.equal(made(3), made(4))


def test_detail_is_slope_and_ripple_over_their_spread() -> None:
    t = torch.arange(64.0)
    ramp, ripple = 0.5 * t, (-1.0) ** t
    x, slope, rest = Detail()(torch.stack([ramp, 10 * ramp]).unsqueeze(1)).unbind(1)
    assert torch.equal(x[0], ramp)
    torch.testing.assert_close(slope[:, 8:-8], torch.full((2, 48), float(slope[0, 20])))
    torch.testing.assert_close(slope[0], slope[1])
    assert rest[:, 8:-8].abs().max() < 1e-4
    wave = torch.sin(t / 10)
    _, _, rest = Detail()((wave + 0.01 * ripple)[None, None]).unbind(1)
    middle = rest[0, 8:-8]
    assert float((middle * ripple[8:-8]).mean()) > 0.2
    assert rest.abs().max() <= 4
    assert torch.isfinite(Detail()(torch.full((1, 2, 8), 3.0))).all()

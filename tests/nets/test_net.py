"""Encoders and decoders: shapes, kinds, and the output layer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from unwarp.errors import ConfigError
from unwarp.nets.conv import ConvDecoder
from unwarp.nets.net import Net, constant_output, output_layer
from unwarp.nets.perceptron import Shortcut
from unwarp.nets.temporal import Detail, TemporalDecoder, TemporalEncoder

LENGTHS = [8, 9, 15, 31, 32, 60, 128, 131, 275, 1000]
SIZES = [(28, 28), (32, 48), (45, 61), (40, 40), (64, 64), (128, 96), (7, 7), (9, 100)]


def has_convolutions(net: nn.Module) -> bool:
    return any(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in net.modules())


@pytest.mark.parametrize("kind", ["mlp", "conv", "auto"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pictures_to_numbers_and_back_to_their_shape(kind: str, channels: int, size: tuple[int, int]) -> None:
    net, shape = Net(kind, (16, 8), (8, 16)), (channels, *size)  # type: ignore[arg-type]
    encoder, decoder = net.encode(shape, 5), net.decode(5, shape)
    codes = encoder(torch.rand(2, *shape))
    assert codes.shape == (2, 5)
    assert decoder(codes).shape == (2, *shape)


@pytest.mark.parametrize("kind", ["mlp", "auto"])
def test_series_to_numbers_and_back(kind: str) -> None:
    net = Net(kind, (16,), (16,))  # type: ignore[arg-type]
    codes = net.encode((2, 5000), 3)(torch.rand(4, 2, 5000))
    assert codes.shape == (4, 3)
    assert net.decode(3, (2, 5000))(codes).shape == (4, 2, 5000)


@pytest.mark.parametrize(("size", "convolutional"), [((48, 48), False), ((28, 28), False), ((49, 48), True)])
def test_auto_takes_convolutions_beyond_48_by_48(size: tuple[int, int], convolutional: bool) -> None:
    net = Net("auto", (8,), (8,))
    assert has_convolutions(net.encode((1, *size), 2)) == convolutional
    assert has_convolutions(net.decode(2, (1, *size))) == convolutional


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_every_weight_takes_part(kind: str) -> None:
    net, shape = Net(kind, (16, 8), (8, 16)), (3, 21, 18)  # type: ignore[arg-type]
    encoder, decoder = net.encode(shape, 4), net.decode(4, shape)
    decoder(encoder(torch.rand(6, *shape))).square().sum().backward()
    weights = {n: p for net in (encoder, decoder) for n, p in net.named_parameters() if n.endswith("weight")}
    assert [name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_a_row_does_not_depend_on_its_batch_in_eval(kind: str) -> None:
    net, shape = Net(kind, (16, 8), (8, 16)), (1, 20, 20)  # type: ignore[arg-type]
    encoder = net.encode(shape, 4).eval()
    x = torch.rand(5, *shape)
    torch.testing.assert_close(encoder(x)[2:3], encoder(x[2:3]))


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_critic_gives_each_sample_a_logit_of_its_own(kind: str, size: tuple[int, int]) -> None:
    net = Net(kind, (16,), (16,), channels=8).criticise((3, *size))  # type: ignore[arg-type]
    x = torch.rand(4, 3, *size)
    logits = net.train()(x)
    assert logits.shape == (4, 1)
    torch.testing.assert_close(logits[1:2], net(x[1:2]))
    assert not [layer for layer in net.modules() if "BatchNorm" in type(layer).__name__]
    logits.sum().backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in net.parameters())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_decoded_sample_does_not_depend_on_its_batch_even_in_training(size: tuple[int, int]) -> None:
    net = Net("conv", (8,), (8,), channels=8).decode(3, (1, *size)).train()
    z = torch.randn(4, 3)
    torch.testing.assert_close(net(z)[2:3], net(z[2:3]))
    assert not list(net.buffers())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_convolutions_start_from_a_few_pixels_along_the_shorter_axis(size: tuple[int, int]) -> None:
    coarse = ConvDecoder(2, (8,), (1, *size)).sizes[0]
    assert 4 <= min(coarse) <= 7
    assert coarse[0] / coarse[1] == pytest.approx(size[0] / size[1], rel=0.15)


def test_convolutions_refuse_series() -> None:
    with pytest.raises(ConfigError, match=r"\(1, 100\).*'mlp'"):
        Net("conv").encode((1, 100), 2)
    with pytest.raises(ConfigError, match="conv"):
        Net("conv").decode(2, (1, 100))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"kind": "resnet"}, "auto, mlp, conv or tcn"),
        ({"encoder": (0,)}, "positive"),
        ({"decoder": (8, -1)}, "positive"),
        ({"channels": 12}, "multiple of 8, got 12"),
    ],
)
def test_unknown_kinds_and_widths_are_refused(choice: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Net(**choice)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_perceptrons_of_series_begin_as_such_and_may_become_linear(part: str) -> None:
    torch.manual_seed(0)
    net = Net("mlp", (16, 8), (8, 16))
    found, seen = (net.encode((2, 20), 4), (2, 20)) if part == "encoder" else (net.decode(4, (2, 20)), (4,))
    shortcut = next(layer for layer in found.eval().modules() if isinstance(layer, Shortcut))
    a, b = torch.randn(2, 5, *seen)
    torch.testing.assert_close(shortcut(a), shortcut.net(a))
    nn.init.normal_(shortcut.line.weight)
    for layer in shortcut.net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.weight)
    torch.testing.assert_close(found(a + b) + found(torch.zeros_like(a)), found(a) + found(b))
    assert (found(a) - found(b)).flatten(1).norm(dim=1).min() > 0.1


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 16)])
def test_a_constant_perceptron_is_one_for_pictures_and_for_series(shape: tuple[int, ...]) -> None:
    out = constant_output(Net("mlp", (8,), (8,)).encode(shape, 3), 0.5)(torch.rand(4, *shape))
    torch.testing.assert_close(out, torch.full((4, 3), 0.5))


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_a_constant_output_says_its_value_whatever_it_sees_and_can_learn(kind: str) -> None:
    net = constant_output(Net(kind, (8,), (8,)).encode((1, 16, 16), 3), 0.5)  # type: ignore[arg-type]
    out = net(torch.rand(4, 1, 16, 16))
    torch.testing.assert_close(out, torch.full((4, 3), 0.5))
    (out * torch.arange(3)).sum().backward()
    weight = output_layer(net).weight
    assert weight.grad is not None and weight.grad.abs().sum() > 0


def test_the_output_layer_is_the_one_that_makes_the_output() -> None:
    layer = output_layer(Net("tcn").decode(2, (3, 50)))
    assert isinstance(layer, nn.ConvTranspose1d) and layer.out_channels == 3
    assert output_layer(Net("tcn").encode((3, 50), 7)).out_features == 7
    layer = output_layer(Net("conv", (8,), (8,)).decode(2, (3, 30, 30)))
    assert isinstance(layer, nn.ConvTranspose2d) and layer.out_channels == 3
    layer = output_layer(Net("conv", (8,), (8,)).decode(2, (3, 7, 7)))
    assert isinstance(layer, nn.Conv2d) and layer.out_channels == 3
    assert output_layer(Net("mlp", (8,), (8,)).encode((1, 9, 9), 7)).out_features == 7


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_series_of_any_length_to_numbers_and_back_through_time(length: int, channels: int, causal: bool) -> None:
    net, shape = Net("tcn", channels=8, causal=causal), (channels, length)
    encoder, decoder = net.encode(shape, 5), net.decode(5, shape)
    codes = encoder(torch.rand(2, *shape))
    assert codes.shape == (2, 5)
    assert decoder(codes).shape == (2, *shape)
    assert net.criticise(shape)(torch.rand(2, *shape)).shape == (2, 1)


@pytest.mark.parametrize(("length", "temporal"), [(31, False), (32, True), (2000, True)])
def test_auto_looks_along_time_from_32_samples_on(length: int, temporal: bool) -> None:
    net = Net(encoder=(8,), decoder=(8,), channels=8)
    assert isinstance(net.encode((2, length), 3), TemporalEncoder) == temporal
    assert isinstance(net.decode(3, (2, length)), TemporalDecoder) == temporal


@pytest.mark.parametrize("causal", [False, True])
def test_every_weight_in_time_takes_part(causal: bool) -> None:
    net, shape = Net("tcn", channels=8, causal=causal), (2, 45)
    encoder, decoder = net.encode(shape, 4), net.decode(4, shape)
    decoder(encoder(torch.rand(6, *shape))).square().sum().backward()
    weights = {n: p for part in (encoder, decoder) for n, p in part.named_parameters()}
    assert [name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("causal", [False, True])
def test_a_series_does_not_depend_on_its_batch_even_in_training(causal: bool) -> None:
    net, shape = Net("tcn", channels=8, causal=causal), (2, 50)
    for part, x in ((net.encode(shape, 4), torch.rand(5, *shape)), (net.decode(4, shape), torch.randn(5, 4))):
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
        return net.decode(4, (1, 40))(net.encode((1, 40), 4)(torch.linspace(0, 1, 80).reshape(2, 1, 40)))

    assert torch.equal(made(3), made(3))
    assert not torch.equal(made(3), made(4))


@pytest.mark.parametrize("shape", [(1, 30, 40), (1, 7)])
def test_networks_in_time_refuse_what_has_none(shape: tuple[int, ...]) -> None:
    for part in (lambda: Net("tcn").encode(shape, 2), lambda: Net("tcn").decode(2, shape)):
        with pytest.raises(ConfigError, match=r"'tcn' needs series \(C, T\) of 8 samples.*'auto'"):
            part()


@pytest.mark.parametrize("part", ["encode", "decode"])
def test_a_network_in_time_can_start_constant_and_learn(part: str) -> None:
    net = Net("tcn", channels=8)
    made = net.encode((2, 40), 3) if part == "encode" else net.decode(3, (2, 40))
    out = constant_output(made, 0.5)(torch.rand(4, 2, 40) if part == "encode" else torch.rand(4, 3))
    torch.testing.assert_close(out, torch.full_like(out, 0.5))
    (out * torch.randn_like(out)).sum().backward()
    weight = output_layer(made).weight
    assert weight.grad is not None and weight.grad.abs().sum() > 0


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


def test_detail_reaches_encoders_alone_and_cannot_be_causal() -> None:
    net = Net("tcn", channels=8, detail=True)
    plain = replace(net, detail=False)
    for made, other in (
        (net.encode((2, 40), 3), plain.encode((2, 40), 3)),
        (net.criticise((2, 40)), plain.criticise((2, 40))),
    ):
        assert made(torch.rand(4, 2, 40)).shape == other(torch.rand(4, 2, 40)).shape
        assert sum(p.numel() for p in made.parameters()) == sum(p.numel() for p in other.parameters()) + 8 * 7 * 4
    with pytest.raises(ConfigError, match="causal=True forbids"):
        Net("tcn", causal=True, detail=True)

"""Encoders, decoders and critics: shapes, kinds, and the output layer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.nets.shapes import SIZES
from unwarp.errors import ConfigError
from unwarp.nets.net import Net, constant_output, output_layer
from unwarp.nets.temporal import TemporalDecoder, TemporalEncoder


def has_convolutions(net: nn.Module) -> bool:
    """Whether a network has convolutions of pictures."""
    return any(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in net.modules())


@pytest.mark.parametrize("kind", ["mlp", "conv", "auto"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_net_encodes_and_decodes_pictures(kind: str, channels: int, size: tuple[int, int]) -> None:
    """Pictures of any size give codes, and codes give pictures of that size."""
    net, shape = Net(kind, (16, 8), (8, 16)), (channels, *size)  # type: ignore[arg-type]
    encoder, decoder = net.build_encoder(shape, 5), net.build_decoder(5, shape)
    codes = encoder(torch.rand(2, *shape))
    assert codes.shape == (2, 5)
    assert decoder(codes).shape == (2, *shape)


@pytest.mark.parametrize("kind", ["mlp", "auto"])
def test_net_encodes_and_decodes_series(kind: str) -> None:
    """Series give codes, and codes give series of that length."""
    net = Net(kind, (16,), (16,))  # type: ignore[arg-type]
    codes = net.build_encoder((2, 5000), 3)(torch.rand(4, 2, 5000))
    assert codes.shape == (4, 3)
    assert net.build_decoder(3, (2, 5000))(codes).shape == (4, 2, 5000)


@pytest.mark.parametrize(
    ("size", "is_convolutional"), [((48, 48), False), ((28, 28), False), ((49, 48), True)]
)
def test_auto_convolves_large_pictures(size: tuple[int, int], is_convolutional: bool) -> None:
    """Pictures of more than 48 x 48 pixels get convolutions."""
    net = Net("auto", (8,), (8,))
    assert has_convolutions(net.build_encoder((1, *size), 2)) == is_convolutional
    assert has_convolutions(net.build_decoder(2, (1, *size))) == is_convolutional


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_all_weights_have_gradients(kind: str) -> None:
    """Each weight of encoder and decoder takes part in the output."""
    net, shape = Net(kind, (16, 8), (8, 16)), (3, 21, 18)  # type: ignore[arg-type]
    encoder, decoder = net.build_encoder(shape, 4), net.build_decoder(4, shape)
    decoder(encoder(torch.rand(6, *shape))).square().sum().backward()
    weights = {
        n: p
        for net in (encoder, decoder)
        for n, p in net.named_parameters()
        if n.endswith("weight")
    }
    assert [
        name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0
    ] == []


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_encoder_ignores_batch_in_eval(kind: str) -> None:
    """A code does not depend on the batch in evaluation mode."""
    net, shape = Net(kind, (16, 8), (8, 16)), (1, 20, 20)  # type: ignore[arg-type]
    encoder = net.build_encoder(shape, 4).eval()
    x = torch.rand(5, *shape)
    torch.testing.assert_close(encoder(x)[2:3], encoder(x[2:3]))


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_critic_logits_are_independent(kind: str, size: tuple[int, int]) -> None:
    """A logit depends on its sample alone, even in training mode, and on every weight."""
    net = Net(kind, (16,), (16,), channels=8).build_critic((3, *size))  # type: ignore[arg-type]
    x = torch.rand(4, 3, *size)
    logits = net.train()(x)
    assert logits.shape == (4, 1)
    torch.testing.assert_close(logits[1:2], net(x[1:2]))
    assert not [layer for layer in net.modules() if "BatchNorm" in type(layer).__name__]
    logits.sum().backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in net.parameters())


def test_conv_refuses_series() -> None:
    """Series are refused with their shape and the kind to use."""
    with pytest.raises(ConfigError, match=r"\(1, 100\).*'mlp'"):
        Net("conv").build_encoder((1, 100), 2)
    with pytest.raises(ConfigError, match="conv"):
        Net("conv").build_decoder(2, (1, 100))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "resnet"}, "auto, mlp, conv or tcn"),
        ({"encoder": (0,)}, "give widths from 1"),
        ({"decoder": (8, -1)}, "give widths from 1"),
        ({"channels": 12}, "channels=12 is no multiple of 8"),
    ],
)
def test_net_refuses_bad_arguments(arguments: dict[str, object], words: str) -> None:
    """An argument out of bounds is refused with the values that are possible."""
    with pytest.raises(ConfigError, match=words):
        Net(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 16)])
def test_constant_output_of_perceptrons(shape: tuple[int, ...]) -> None:
    """A perceptron of pictures or of short series starts with a constant output."""
    out = constant_output(Net("mlp", (8,), (8,)).build_encoder(shape, 3), 0.5)(
        torch.rand(4, *shape)
    )
    torch.testing.assert_close(out, torch.full((4, 3), 0.5))


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_constant_output_can_learn(kind: str) -> None:
    """The output is the same for every picture, and its weights have gradients."""
    encoder = Net(kind, (8,), (8,)).build_encoder((1, 16, 16), 3)  # type: ignore[arg-type]
    net = constant_output(encoder, 0.5)
    out = net(torch.rand(4, 1, 16, 16))
    torch.testing.assert_close(out, torch.full((4, 3), 0.5))
    (out * torch.arange(3)).sum().backward()
    weight = output_layer(net).weight
    assert weight.grad is not None and weight.grad.abs().sum() > 0


def test_output_layer_is_last() -> None:
    """The output layer has as many outputs as the network, for each kind."""
    layer = output_layer(Net("tcn").build_decoder(2, (3, 50)))
    assert isinstance(layer, nn.ConvTranspose1d) and layer.out_channels == 3
    assert output_layer(Net("tcn").build_encoder((3, 50), 7)).out_features == 7
    layer = output_layer(Net("conv", (8,), (8,)).build_decoder(2, (3, 30, 30)))
    assert isinstance(layer, nn.ConvTranspose2d) and layer.out_channels == 3
    layer = output_layer(Net("conv", (8,), (8,)).build_decoder(2, (3, 7, 7)))
    assert isinstance(layer, nn.Conv2d) and layer.out_channels == 3
    assert output_layer(Net("mlp", (8,), (8,)).build_encoder((1, 9, 9), 7)).out_features == 7


@pytest.mark.parametrize(("length", "is_temporal"), [(31, False), (32, True), (2000, True)])
def test_auto_convolves_long_series(length: int, is_temporal: bool) -> None:
    """Series of 32 samples or more get temporal convolutions."""
    net = Net(encoder=(8,), decoder=(8,), channels=8)
    assert isinstance(net.build_encoder((2, length), 3), TemporalEncoder) == is_temporal
    assert isinstance(net.build_decoder(3, (2, length)), TemporalDecoder) == is_temporal


@pytest.mark.parametrize("shape", [(1, 30, 40), (1, 7)])
def test_tcn_refuses_pictures(shape: tuple[int, ...]) -> None:
    """Pictures and very short series are refused with the kind to use."""
    message = r"'tcn' needs series \(C, T\) of 8 time steps.*'auto'"
    for build in (
        lambda: Net("tcn").build_encoder(shape, 2),
        lambda: Net("tcn").build_decoder(2, shape),
    ):
        with pytest.raises(ConfigError, match=message):
            build()


@pytest.mark.parametrize("part", ["encode", "decode"])
def test_constant_output_of_tcn(part: str) -> None:
    """Temporal networks start with a constant output, and their weights have gradients."""
    net = Net("tcn", channels=8)
    network = net.build_encoder((2, 40), 3) if part == "encode" else net.build_decoder(3, (2, 40))
    x = torch.rand(4, 2, 40) if part == "encode" else torch.rand(4, 3)
    out = constant_output(network, 0.5)(x)
    torch.testing.assert_close(out, torch.full_like(out, 0.5))
    (out * torch.randn_like(out)).sum().backward()
    weight = output_layer(network).weight
    assert weight.grad is not None and weight.grad.abs().sum() > 0


def test_detail_widens_encoders() -> None:
    """Detail adds input channels to encoders and critics, and cannot be causal."""
    net = Net("tcn", channels=8, detail=True)
    plain = replace(net, detail=False)
    for detailed, default in (
        (net.build_encoder((2, 40), 3), plain.build_encoder((2, 40), 3)),
        (net.build_critic((2, 40)), plain.build_critic((2, 40))),
    ):
        assert detailed(torch.rand(4, 2, 40)).shape == default(torch.rand(4, 2, 40)).shape
        assert (
            sum(p.numel() for p in detailed.parameters())
            == sum(p.numel() for p in default.parameters()) + 8 * 7 * 4
        )
    with pytest.raises(ConfigError, match="causal=True forbids"):
        Net("tcn", causal=True, detail=True)

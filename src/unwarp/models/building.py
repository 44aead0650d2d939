"""From an `Architecture` to a `Model`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from unwarp.errors import ConfigError
from unwarp.models.architecture import Architecture
from unwarp.models.canvas import Canvas
from unwarp.models.encoders import Encoder, Gaussian, OneStage, Rung, Staged
from unwarp.models.likelihood import BACKGROUND, Above, Likelihood
from unwarp.models.model import Model
from unwarp.models.networks import Networks
from unwarp.models.pose_search import search_for
from unwarp.models.starts import start_for
from unwarp.nets.net import output_layer
from unwarp.warps import Padding, Warp, Window


def build(architecture: Architecture, shape: Sequence[int], *, seed: int = 0) -> Model:
    """A new model for samples of `shape`, with weights drawn from `seed`.

    Raises:
        ConfigError: `shape` is neither (C, H, W) nor (C, T), or the architecture does not fit such samples.
    """
    architecture = complete(architecture, shape)
    assert architecture.padding != "auto" and architecture.likelihood != "auto"
    window = Window.frame(shape[1:]).crop(architecture.crop)
    warp = architecture.warp.bind(shape[1:], window.extent[0])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        input_shape = (shape[0] * (2 if architecture.gaps else 1), *shape[1:])
        encoder = build_encoder(architecture, input_shape, warp, window)
        decoder, link = build_decoder(architecture, (shape[0], *window.size))
    networks = Networks(encoder, decoder, link)
    canvas = Canvas(tuple(shape), window, architecture.padding, architecture.gaps)
    search = search_for(networks, canvas, architecture.pose_clusters, architecture.pose_updates)
    likelihood = Likelihood(architecture.likelihood, architecture.sigma)
    return Model(canvas, warp, networks, likelihood, architecture.prior, search)


def complete(architecture: Architecture, shape: Sequence[int]) -> Architecture:
    """`architecture` without `auto`, for samples of `shape`.

    Raises:
        ConfigError: As of `build`.
    """
    if len(shape) not in (2, 3):
        raise ConfigError(f"shape={tuple(shape)} must be (C, H, W) or (C, T)")
    warp = architecture.warp
    if warp.domain not in ("auto", "series" if len(shape) == 2 else "image"):
        raise ConfigError(f"warp {warp.name!r} acts on {warp.domain} data, the samples have shape {tuple(shape)}")
    if architecture.padding == "auto":
        architecture = replace(architecture, padding="zeros")
    if architecture.likelihood == "auto":
        architecture = replace(architecture, likelihood="bernoulli" if len(shape) == 3 else "gaussian")
    gaussian = architecture.likelihood == "gaussian"
    if architecture.gaps and (len(shape) == 3 or not gaussian or not architecture.tolerant):
        raise ConfigError(
            f"gaps=True is for series, a Gaussian likelihood and families without a critic; {type(architecture).__name__} with "
            f"likelihood={architecture.likelihood!r} got samples of shape {tuple(shape)}; fill the gaps instead"
        )
    return architecture


def build_encoder(architecture: Architecture, shape: tuple[int, ...], warp: Warp, window: Window) -> Encoder:
    """The encoder that `architecture` describes, for samples of `shape` and a bound `warp`."""
    many = 2 if architecture.stochastic else 1
    padding: Padding = "zeros" if architecture.padding == "auto" else architecture.padding
    if architecture.encoder == "one-stage":
        trunk = architecture.net.encode(shape, many * (architecture.n_content + len(warp.factors)))
        return OneStage(warp, architecture.n_content, Gaussian(trunk, architecture.stochastic))
    start = start_for(architecture.start, architecture.starts, warp, window)
    rungs = _rungs(architecture, shape, warp, window)
    content = Gaussian(
        architecture.net.encode((shape[0], *window.size), many * architecture.n_content), architecture.stochastic
    )
    flags = shape[0] // 2 if architecture.gaps else 0
    return Staged(warp, architecture.n_content, start, rungs, content, window, padding, flags)


def _rungs(architecture: Architecture, shape: tuple[int, ...], warp: Warp, window: Window) -> list[Rung]:
    """The stages of pose, outermost warp first; the refinements of an invertible one look at the crop.

    A learned start is the first rung of the outermost warp; without refinements each warp begins with one.
    """
    plans: list[tuple[Warp, Window, tuple[int, int]]] = []
    for part in (part for part in reversed(warp.parts) if part.factors):
        if not part.map(torch.zeros(1, len(part.factors))).invertible:
            plans.append((part, window, (1, 1)))
            continue
        if architecture.start == "learned" and not (plans and architecture.refinements):
            plans.append((part, Window.frame(shape[1:]), (1, 1)))
        plans += [(part, window, (1, 1))] * (architecture.refinements - 1)
        plans += [(part, window, architecture.passes)] * min(1, architecture.refinements)
    rungs = []
    for i, (part, look, passes) in enumerate(plans):
        stochastic = architecture.stochastic and i == len(plans) - 1
        net = architecture.net.encode((shape[0], *look.size), len(part.factors) * (2 if stochastic else 1))
        rungs.append(Rung(part, look, net, stochastic, passes))
    return rungs


def build_decoder(architecture: Architecture, shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
    """The decoder and the link: pictures lie in [0, 1] and start near the background; series stay linear."""
    net = architecture.net.decode(architecture.n_content, shape)
    if len(shape) == 2:
        return net, nn.Identity()
    bias, odds = output_layer(net).bias, architecture.likelihood != "gaussian"
    assert bias is not None
    nn.init.constant_(bias, (BACKGROUND if odds else 0.0) - (2.0 if architecture.padding == "zeros" else 0.0))
    return (net, Above()) if odds else (nn.Sequential(net, nn.Sigmoid()), nn.Identity())

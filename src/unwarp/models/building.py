"""From an `Architecture` to a `Model`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import torch
from torch import nn

from unwarp.core import Domain
from unwarp.errors import ConfigError
from unwarp.models.architecture import Architecture
from unwarp.models.canvas import Canvas
from unwarp.models.encoders import Encoder, Gaussian, OneStage, Rung, Staged
from unwarp.models.likelihood import BACKGROUND, Above, Likelihood, LikelihoodKind
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
    domain = domain_of(architecture.warp, shape)
    architecture = complete(architecture, domain, shape)
    assert architecture.padding != "auto" and architecture.likelihood != "auto"
    window = Window.frame(shape[1:]).crop(architecture.crop)
    warp = architecture.warp.bind(shape[1:], window.extent[0])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        input_shape = (shape[0] * (2 if architecture.gaps else 1), *shape[1:])
        encoder = build_encoder(architecture, input_shape, warp, window)
        template_shape = (shape[0], *window.size)
        decoder, link = build_decoder(architecture, template_shape, domain.is_bounded)
    networks = Networks(encoder, decoder, link)
    canvas = Canvas(tuple(shape), window, architecture.padding, architecture.gaps)
    search = search_for(networks, canvas, architecture.pose_clusters, architecture.pose_updates)
    likelihood = Likelihood(architecture.likelihood, architecture.sigma)
    return Model(canvas, warp, networks, likelihood, architecture.prior, search)


def domain_of(warp: Warp, shape: Sequence[int]) -> Domain:
    """The domain of samples of `shape` (C, ...), which `warp` must act on.

    Raises:
        ConfigError: No domain has so many axes, or the warp acts on another one.
    """
    domain = Domain.of_axes(len(shape) - 1, warp.domain)
    if domain is None:
        forms = ", ".join(f"(C, {', '.join(known.axes)})" for known in Domain.registry.values())
        raise ConfigError(f"shape={tuple(shape)} is of no known domain; there are {forms}")
    if warp.domain not in ("auto", domain.name):
        raise ConfigError(
            f"warp {warp.name!r} acts on {warp.domain} data, the samples have shape {tuple(shape)}"
        )
    return domain


def complete(architecture: Architecture, domain: Domain, shape: Sequence[int]) -> Architecture:
    """`architecture` with a value for every `auto`.

    Args:
        architecture: What is to be built.
        domain: What the samples are.
        shape: Shape of a sample (C, ...), for the message.

    Raises:
        ConfigError: Gaps in a domain, a likelihood or a family that knows none.
    """
    if architecture.padding == "auto":
        architecture = replace(architecture, padding="zeros")
    if architecture.likelihood == "auto":
        architecture = replace(architecture, likelihood=cast(LikelihoodKind, domain.likelihood))
    has_gaps = domain.has_gaps and architecture.likelihood == "gaussian" and architecture.tolerant
    if architecture.gaps and not has_gaps:
        raise ConfigError(
            "gaps=True is for series, a Gaussian likelihood and families without a critic; "
            f"{type(architecture).__name__} with likelihood={architecture.likelihood!r} got samples "
            f"of shape {tuple(shape)}; fill the gaps instead"
        )
    return architecture


def build_encoder(
    architecture: Architecture, shape: tuple[int, ...], warp: Warp, window: Window
) -> Encoder:
    """The encoder that `architecture` describes, for samples of `shape` and a bound `warp`."""
    many = 2 if architecture.stochastic else 1
    padding: Padding = "zeros" if architecture.padding == "auto" else architecture.padding
    if architecture.encoder == "one-stage":
        trunk = architecture.net.encode(shape, many * (architecture.n_content + len(warp.factors)))
        return OneStage(warp, architecture.n_content, Gaussian(trunk, architecture.stochastic))
    start = start_for(architecture.start, architecture.starts, warp, window)
    rungs = _rungs(architecture, shape, warp, window)
    content = Gaussian(
        architecture.net.encode((shape[0], *window.size), many * architecture.n_content),
        architecture.stochastic,
    )
    flags = shape[0] // 2 if architecture.gaps else 0
    return Staged(warp, architecture.n_content, start, rungs, content, window, padding, flags)


def _rungs(
    architecture: Architecture, shape: tuple[int, ...], warp: Warp, window: Window
) -> list[Rung]:
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
        net = architecture.net.encode(
            (shape[0], *look.size), len(part.factors) * (2 if stochastic else 1)
        )
        rungs.append(Rung(part, look, net, stochastic, passes))
    return rungs


def build_decoder(
    architecture: Architecture, shape: tuple[int, ...], is_bounded: bool
) -> tuple[nn.Module, nn.Module]:
    """The decoder and the link: values in [0, 1] start near the background, others stay linear.

    Args:
        architecture: What is to be built.
        shape: Shape of a template (C, ...).
        is_bounded: Whether values lie in [0, 1].
    """
    net = architecture.net.decode(architecture.n_content, shape)
    if not is_bounded:
        return net, nn.Identity()
    bias, odds = output_layer(net).bias, architecture.likelihood != "gaussian"
    assert bias is not None
    empty = 2.0 if architecture.padding == "zeros" else 0.0
    nn.init.constant_(bias, (BACKGROUND if odds else 0.0) - empty)
    return (net, Above()) if odds else (nn.Sequential(net, nn.Sigmoid()), nn.Identity())

"""Build a `Model` from an `Architecture` and the shape of a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from unwarp.core import Domain
from unwarp.devices import float32_gradients
from unwarp.errors import ConfigError
from unwarp.models.architecture import Architecture
from unwarp.models.canvas import Canvas
from unwarp.models.content import MEASURED_CONTENTS, check_content
from unwarp.models.distilled import DistilledCode
from unwarp.models.encoder import Encoder
from unwarp.models.lags.search import LagSearch, lag_family
from unwarp.models.likelihood import BACKGROUND_LOG_ODDS, Likelihood, LikelihoodKind, LogOddsLink
from unwarp.models.measured import MeasuredContent
from unwarp.models.model import Model
from unwarp.models.networks import Networks
from unwarp.models.one_stage import OneStage
from unwarp.models.pose_search import build_pose_search
from unwarp.models.posterior import GaussianHead
from unwarp.models.scan.search import PictureSearch, is_closed, limited_family, scan_family
from unwarp.models.staged import PoseStage, Staged
from unwarp.models.starts import Start, build_start
from unwarp.nets.net import output_layer
from unwarp.range_kinds import Sizes, Whole
from unwarp.ranges import check_value
from unwarp.warps import Padding, Warp, Window

N_POSE_UPDATES_WITH_MIRROR = 8
"""Default number of updates of the pose clusters while a model with a mirror is trained.

Without updates a decoder learns two templates of a class, one the mirror image of the other.
"""

INITIAL_LOG_ODDS = -2.0
"""Initial log-odds of a bright pixel in templates with a dark background: a probability of 0.12."""

SHAPE = Sizes(tuple(range(1, 16)), "the shape of a sample")
"""Range of the shape of a sample; whether a domain has its number of axes is checked apart."""

MAX_WEIGHTS = 2**29
"""Greatest number of weights of a model, 2 GiB in float32; assign a greater number to raise it."""


class WeightLimit(TorchFunctionMode):
    """Context that bounds the number of weights of a model.

    It counts the elements that `torch.empty` is asked for, from which layers make their weights,
    and raises an error before the memory is allocated.

    Args:
        n_max: Greatest number of weights.

    >>> with WeightLimit(100):
    ...     nn.Linear(20, 30)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    unwarp.errors.ConfigError: the model would have more than 100 weights; ...
    """

    def __init__(self, n_max: int) -> None:
        super().__init__()
        self.n_max, self._n_weights = n_max, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count the elements of a new tensor, then call the function."""
        if func is torch.empty:
            sizes = args[0] if isinstance(args[0], tuple | list) else args
            self._n_weights += math.prod(sizes)
            if self._n_weights > self.n_max:
                raise ConfigError(
                    f"the model would have more than {self.n_max:,} weights; lower n_content, the "
                    "widths of net, or the size of the samples, or raise "
                    "unwarp.models.building.MAX_WEIGHTS"
                )
        return func(*args, **(kwargs or {}))


@float32_gradients()
def build(architecture: Architecture, shape: Sequence[int], *, seed: int = 0) -> Model:
    """A new model with random weights.

    Args:
        architecture: The fields of the model; `auto` is replaced by a value that suits the shape.
        shape: Shape of a sample, (C, H, W) or (C, T).
        seed: Seed of the weights; torch's global random state does not change.

    Returns:
        A model in training mode, on the CPU.

    Raises:
        ConfigError: An argument has another type, no domain has samples of this shape, the
            architecture does not suit them, or the model would have more than `MAX_WEIGHTS`
            weights.
    """
    check_value("shape", shape, SHAPE)
    check_value("seed", seed, Whole(0, 2**63 - 1))
    domain = domain_of(architecture.warp, shape)
    architecture = resolve_auto(architecture, domain, shape)
    assert architecture.padding != "auto" and architecture.likelihood != "auto"
    window = Window.frame(shape[1:]).crop(architecture.crop)
    warp = architecture.warp.bind(shape[1:], window.extent[0])
    with torch.random.fork_rng(), WeightLimit(MAX_WEIGHTS):
        torch.manual_seed(seed)
        input_shape = (shape[0] * (2 if architecture.gaps else 1), *shape[1:])
        encoder = build_encoder(architecture, input_shape, warp, window)
        template_shape = (shape[0], *window.size)
        decoder, link = build_decoder(architecture, template_shape, domain.is_bounded)
    networks = Networks(encoder, decoder, link)
    canvas = Canvas(tuple(shape), window, architecture.padding, architecture.gaps)
    search = build_pose_search(
        networks, canvas, architecture.pose_clusters, count_pose_updates(architecture)
    )
    likelihood = Likelihood(architecture.likelihood, architecture.sigma)
    return Model(canvas, warp, networks, likelihood, architecture.prior, search)


def domain_of(warp: Warp, shape: Sequence[int]) -> Domain:
    """The domain of samples, such as images or series, by their shape.

    Args:
        warp: The family of deformations; its domain is preferred if several domains have as many
            axes as the samples.
        shape: Shape of a sample (C, ...).

    Raises:
        ConfigError: No domain has this number of axes, or the warp acts on another domain.

    >>> from unwarp.warps import Affine2d
    >>> domain_of(Affine2d(), (1, 8, 8)).plural
    'images'
    """
    domain = Domain.of_axes(len(shape) - 1, warp.domain)
    if domain is None:
        forms = " or ".join(f"(C, {', '.join(member.axes)})" for member in Domain.registry.values())
        raise ConfigError(f"shape={tuple(shape)} fits no domain; give samples of shape {forms}")
    if warp.domain not in ("auto", domain.name):
        raise ConfigError(
            f"warp={warp.name!r} acts on {warp.domain} data, but samples of shape {tuple(shape)} "
            f"are {domain.name} data; choose a warp for {domain.name} data"
        )
    return domain


def resolve_auto(architecture: Architecture, domain: Domain, shape: Sequence[int]) -> Architecture:
    """The architecture with `auto` replaced in `padding` and `likelihood`.

    The padding becomes `zeros`, and the likelihood becomes that of the domain.

    Args:
        architecture: The fields of the model.
        domain: The domain of the samples.
        shape: Shape of a sample (C, ...), for the message.

    Raises:
        ConfigError: The content is for another domain, or `gaps` is True, but the domain, the
            likelihood or the family supports no gaps.
    """
    if architecture.padding == "auto":
        architecture = replace(architecture, padding="zeros")
    if architecture.likelihood == "auto":
        architecture = replace(architecture, likelihood=cast(LikelihoodKind, domain.likelihood))
    can_have_gaps = (
        domain.has_gaps and architecture.likelihood == "gaussian" and architecture.supports_gaps
    )
    check_content(architecture.content, domain, tuple(shape))
    if architecture.gaps and not can_have_gaps:
        raise ConfigError(
            "gaps=True is for series, likelihood='gaussian' and families without a critic; got "
            f"{type(architecture).__name__} with likelihood={architecture.likelihood!r} and "
            f"samples of shape {tuple(shape)}; fill the gaps and set gaps=False"
        )
    return architecture


def count_pose_updates(architecture: Architecture) -> int:
    """Number of updates of the pose clusters during training, `auto` replaced.

    Args:
        architecture: The fields of the model.

    >>> from unwarp.warps import Rigid2d
    >>> count_pose_updates(Architecture(warp=Rigid2d(mirror=True)))
    8
    """
    if architecture.pose_updates != "auto":
        return architecture.pose_updates
    has_mirror = any(factor.discrete for factor in architecture.warp.factors)
    return N_POSE_UPDATES_WITH_MIRROR if has_mirror else 0


def build_encoder(
    architecture: Architecture, shape: tuple[int, ...], warp: Warp, window: Window
) -> Encoder:
    """The encoder of an architecture, with random weights.

    Args:
        architecture: The fields of the model, with `auto` replaced.
        shape: Shape of an encoder input (C, ...). If samples have gaps, C counts the mask
            channels, too.
        warp: The family of deformations, bound to the frame.
        window: The part of the frame that templates fill.

    Raises:
        ConfigError: The start does not suit the warp.
    """
    n_outputs = 2 if architecture.stochastic else 1  # per number: mean and log standard deviation
    net, n_content = architecture.net, architecture.n_content
    padding: Padding = "zeros" if architecture.padding == "auto" else architecture.padding
    frame = Window.frame(shape[1:])
    if architecture.encoder == "one-stage":
        trunk = net.build_encoder(shape, n_outputs * (n_content + len(warp.factors)))
        return OneStage(warp, n_content, GaussianHead(trunk, architecture.stochastic))
    start: Start | LagSearch | PictureSearch
    if architecture.start == "search" and warp.factors:  # without a warp there is no start
        start = _build_search(architecture, shape, warp)
    else:
        start = build_start(architecture.start, architecture.starts, warp, window)
    stages = _build_stages(architecture, shape, warp, window)
    n_masks = shape[0] // 2 if architecture.gaps else 0
    content: GaussianHead | MeasuredContent
    if architecture.content == "joint":
        code = net.build_encoder((shape[0], *window.size), n_outputs * n_content)
        content = GaussianHead(code, architecture.stochastic)
    else:
        rule = MEASURED_CONTENTS[architecture.content]
        rule = DistilledCode if architecture.fast else rule
        content = rule((shape[0] - n_masks, *window.size), n_content, n_masks)
    size = shrink(frame, frame, architecture.pose_size).size
    return Staged(warp, n_content, start, stages, content, window, padding, n_masks, size)


def _build_search(
    architecture: Architecture, shape: tuple[int, ...], warp: Warp
) -> LagSearch | PictureSearch:
    """The search of an architecture; its arguments are those of `build_encoder`."""
    family = _searched_family(warp, len(shape) - 1)
    if family is None:
        example = (
            "lags, such as time-shift or time+time-shift"
            if len(shape) == 2
            else "rotations and shifts, such as rigid"
        )
        raise ConfigError(
            f"start='search' needs a warp of {example}, got warp={warp.name!r}; use start='learned'"
        )
    if len(shape) == 3:
        return PictureSearch((shape[0], shape[1], shape[2]), family)
    if architecture.crop != 1:
        raise ConfigError(
            f"start='search' needs whole series, got crop={architecture.crop}; set crop=1"
        )
    n_channels = shape[0] // 2 if architecture.gaps else shape[0]
    return LagSearch((n_channels, shape[1]), family, architecture.gaps)


def _searched_family(warp: Warp, n_axes: int) -> Warp | None:
    """The part of a warp that a search estimates; None for none."""
    return {1: lag_family, 2: scan_family}.get(n_axes, lag_family)(warp)


class _StagePlan(NamedTuple):
    """A pose stage before its network is built.

    Attributes:
        warp: The family of deformations that the stage predicts.
        window: The part of the frame that the stage sees, at full size.
        passes: Number of runs in training mode and in evaluation mode.
    """

    warp: Warp
    window: Window
    passes: tuple[int, int]


def _plan_stages(
    architecture: Architecture, warp: Warp, window: Window, frame: Window
) -> list[_StagePlan]:
    """The pose stages, in the order in which they run.

    The warps of a chain are predicted in reverse order: the one that acts on the template last has
    the first stages. An invertible warp has `refinements` stages that see `window`. With
    `start="learned"` there is a stage before them that sees the whole frame: for the first
    predicted warp, and without refinements for every invertible warp. A warp without an inverse has
    one stage. Lags that a search finds have no stage, unless the architecture is stochastic. Poses
    of pictures neither, but what the search leaves open, such as shears, has `refinements` stages
    of small range. No stage predicts a discrete column, such as a mirror, which the start
    has.
    """
    plans: list[_StagePlan] = []
    is_scan = architecture.start == "search" and len(frame.size) == 2
    needs_frame = architecture.start in ("learned", "search")
    for part in _parts_of_stages(architecture, warp, frame):
        if not part.map(torch.zeros(1, len(part.factors))).is_invertible:
            plans.append(_StagePlan(part, window, (1, 1)))
            continue
        if needs_frame and not (architecture.refinements and (plans or is_scan)):
            plans.append(_StagePlan(part, frame, (1, 1)))
        plans += [_StagePlan(part, window, (1, 1))] * (architecture.refinements - 1)
        final = _StagePlan(part, window, architecture.passes)
        plans += [final] * min(1, architecture.refinements)
    return plans


def _parts_of_stages(architecture: Architecture, warp: Warp, frame: Window) -> list[Warp]:
    """The families that stages predict, in the order in which they run."""
    n_axes, is_stochastic = len(frame.size), architecture.stochastic
    is_search = architecture.start == "search"
    searched = _searched_family(warp, n_axes) if is_search else None
    families = []
    for part in reversed(warp.parts):
        if not part.factors:
            continue
        if part is not searched:
            families.append(part.continuous)
        elif n_axes == 1:
            families += [part] * is_stochastic
        elif is_stochastic or (architecture.refinements and not is_closed(part)):
            families.append(limited_family(part.continuous))
    return families


def _build_stages(
    architecture: Architecture, shape: tuple[int, ...], warp: Warp, window: Window
) -> list[PoseStage]:
    """The pose stages with their networks.

    If the architecture is stochastic, only the last stage is stochastic.
    """
    frame = Window.frame(shape[1:])
    plans = _plan_stages(architecture, warp, window, frame)
    stages = []
    for i, plan in enumerate(plans):
        stochastic = architecture.stochastic and i == len(plans) - 1
        n_outputs = len(plan.warp.factors) * (2 if stochastic else 1)
        visible = shrink(plan.window, frame, architecture.pose_size)
        net = architecture.net.build_encoder((shape[0], *visible.size), n_outputs)
        stages.append(PoseStage(plan.warp, visible, net, stochastic, plan.passes))
    return stages


def shrink(window: Window, frame: Window, longest_side: int | None) -> Window:
    """The part of a frame on the grid of a smaller copy.

    Args:
        window: The part, on the grid of the frame.
        frame: The whole frame.
        longest_side: Longest side of the copy in pixels; None for the frame itself.

    Returns:
        A window of the same extent.

    >>> shrink(Window((64, 32), (0.5, 0.5)), Window.frame((128, 64)), 32)
    Window(size=(16, 8), extent=(0.5, 0.5))
    """
    if longest_side is None or len(frame.size) == 1 or max(frame.size) <= longest_side:
        return window
    share = longest_side / max(frame.size)
    return Window(tuple(max(1, round(n * share)) for n in window.size), window.extent)


def build_decoder(
    architecture: Architecture, shape: tuple[int, ...], is_bounded: bool
) -> tuple[nn.Module, nn.Module]:
    """The decoder of an architecture, and the link after the warp.

    For unbounded values the decoder ends with a linear layer, and the link is the identity. For
    values in [0, 1] and a Gaussian likelihood the decoder ends with a sigmoid, and the link is the
    identity. For values in [0, 1] and a Bernoulli likelihood the decoder returns log-odds, which
    the link turns into probabilities. With values in [0, 1] and padding `zeros`, the initial
    templates are dark like the padding.

    Args:
        architecture: The fields of the model, with `auto` replaced.
        shape: Shape of a template (C, ...).
        is_bounded: Whether values are in [0, 1].

    Returns:
        The decoder, from content (N, D) to templates (N, *shape), and the link.
    """
    net = architecture.net.build_decoder(architecture.n_content, shape)
    if not is_bounded:
        return net, nn.Identity()
    bias, has_log_odds = output_layer(net).bias, architecture.likelihood != "gaussian"
    assert bias is not None
    initial = INITIAL_LOG_ODDS if architecture.padding == "zeros" else 0.0
    nn.init.constant_(bias, (BACKGROUND_LOG_ODDS if has_log_odds else 0.0) + initial)
    if has_log_odds:
        return net, LogOddsLink()
    return nn.Sequential(net, nn.Sigmoid()), nn.Identity()

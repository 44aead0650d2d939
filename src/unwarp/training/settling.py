"""Settling: measured content and a new decoder for a frozen pose.

A joint training learns pose and content together, because the pose needs templates. Afterwards the
content code can be replaced by a measured one that tells more: the deformations stay, a code is
computed for every sample by a fixed rule, and a new decoder learns templates from these codes,
through the same deformations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.core import Batch, DivergencePolicy, Precision
from unwarp.data.dataset import Dataset
from unwarp.data.samples import Samples
from unwarp.devices import resolve_device
from unwarp.draws import draw_normal
from unwarp.models.content import MEASURED_CONTENTS
from unwarp.models.distilled import DistilledCode
from unwarp.models.measured import MeasuredContent
from unwarp.models.model import SAMPLES_PER_CHUNK, Model
from unwarp.models.players import Player
from unwarp.models.pose_search import PoseSearch
from unwarp.models.recipe import Recipe
from unwarp.models.staged import Staged
from unwarp.training.callbacks import Callback
from unwarp.training.distilling import distil
from unwarp.training.loop import train
from unwarp.training.state import History
from unwarp.training.steps import training_samples
from unwarp.waiting import send_like
from unwarp.warps import Map

MAX_SETTLING_SAMPLES = 4096
"""Greatest number of training samples for codes and decoder."""

MAX_SETTLING_BYTES = 2**31
"""Greatest memory of these samples in bytes, for large samples."""

MAX_POSE_ERROR = 1e-3
"""Greatest distance, in frame coordinates, between a map and that of its parameters."""

CONTENT_PARTS = ("encoder.content.", "decoder.", "search.")
"""Prefixes of the weights that do not belong to the pose, or are clusters of codes."""


def settle(
    model: Model,
    recipe: Recipe,
    data: Samples,
    *,
    steps: int | None = None,
    batch_size: int = 64,
    seed: int = 0,
    seconds: float | None = None,
    device: str = "auto",
    precision: Precision = "no",
    on_divergence: DivergencePolicy = "stop",
    callbacks: Sequence[Callback] = (),
) -> tuple[Model, History]:
    """A model with the poses of another and measured content.

    Args:
        model: A trained model of `recipe.joint()`; without a warp it need not be trained. It does
            not change.
        recipe: The recipe of the result, with measured content. A recipe with `content="joint"` has
            nothing to settle, and `model` is returned.
        data: Training samples; up to `settling_samples` of them are used.
        steps: Number of training steps of the decoder; None for the greatest number, which is 400
            for elastic codes and 1,000 for gradients.
        batch_size: Number of samples per step of the joint training. A step of the decoder has as
            many for elastic codes, and twice as many for gradients.
        seed: Seed of the choice of samples, the decoder's weights and the batches.
        seconds: Greatest training time of the decoder in seconds; None for no bound.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: Number format, as in `train`.
        on_divergence: Reaction to a loss that is not finite, as in `train`.
        callbacks: Callbacks, as in `train`; with a warp, they are told about the decoder alone.

    Returns:
        A model in evaluation mode, on the CPU, and the history of its decoder's training.

    >>> from unwarp.data.dataset import Dataset
    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import CosineTime
    >>> recipe = AE(warp=CosineTime(), content="elastic", net=Net(channels=8))
    >>> model, data = recipe.joint().build((1, 20)), Dataset(torch.rand(8, 1, 20))
    >>> settled, history = settle(model.eval(), recipe, data, steps=2)
    >>> settled.embed(data.x).content.shape, history.steps
    (torch.Size([8, 12]), 2)
    """
    if recipe.content == "joint":
        return model, History()
    settled = recipe.build(model.shape, seed=seed)
    settled.load_state_dict(pose_weights(model), strict=False)
    x = training_samples(data, seed, settling_samples(data.shape))
    was_training = model.training
    samples = measure_content(model.eval(), settled.eval(), x)
    model.train(was_training)
    rule = MEASURED_CONTENTS[recipe.content]
    # the encoder is no part of the module that `train` moves to a device
    settled.to(resolve_device(device))
    # with a warp, the hooks of a whole model would centre the poses once more
    module = settled.decoder if settled.warp.factors else settled
    history = train(
        module,
        (_player(settled, recipe, samples),),
        Dataset(x),
        steps=min(rule.settling_steps if steps is None else steps, rule.settling_steps),
        batch_size=batch_size * rule.settling_batches,
        seed=seed,
        seconds=seconds,
        device=device,
        precision=precision,
        on_divergence=on_divergence,
        callbacks=callbacks,
    )
    settled.to("cpu").eval()
    if isinstance(settled.search, PoseSearch):  # clusters and poses depend on codes and templates
        settled.centre(x)
    if isinstance(settled.encoder.content, DistilledCode):
        distil(settled, x, seed)
    return settled, history


def settling_samples(shape: Sequence[int]) -> int:
    """Greatest number of training samples for codes and decoder.

    Args:
        shape: Shape of a sample (C, ...).

    >>> settling_samples((1, 28, 28)), settling_samples((3, 1024, 1024))
    (4096, 170)
    """
    n_bytes = 4 * math.prod(shape)
    return max(2, min(MAX_SETTLING_SAMPLES, MAX_SETTLING_BYTES // n_bytes))


def pose_weights(model: Model) -> dict[str, Tensor]:
    """The weights of a model without its content network and decoder.

    Args:
        model: A joint or a settled model.
    """
    weights = model.state_dict()
    return {name: weights[name] for name in weights if not name.startswith(CONTENT_PARTS)}


@dataclass(frozen=True)
class MeasuredSamples:
    """What stays fixed of training samples while a decoder is trained.

    Attributes:
        content: Content codes (N, D).
        angles: Start angles (N,) in radians, or with mirrors (N, 2); None for a single start.
        theta: Parameters (N, P) of the deformations before centring; None to predict them again at
            each step.

    >>> MeasuredSamples(torch.zeros(2, 3)).angles is None
    True
    """

    content: Tensor
    angles: Tensor | None = None
    theta: Tensor | None = None

    @torch.no_grad()
    def poses(self, model: Model, x: Tensor, rows: Tensor) -> Map:
        """Maps of samples before centring.

        Args:
            model: A model with the poses.
            x: Samples (B, *shape).
            rows: Their rows (B,) among all samples.

        Returns:
            B maps.
        """
        if self.theta is not None:
            return model.warp.map(send_like(self.theta[rows], x))
        angles = None if self.angles is None else send_like(self.angles[rows], x)
        return model.encoder.pose(model.canvas.encoder_input(x), angles)


@torch.no_grad()
def measure_content(model: Model, settled: Model, x: Tensor) -> MeasuredSamples:
    """Fit the rule of a settled model, and measure codes.

    Args:
        model: The trained model, whose poses are kept.
        settled: The model with measured content; its rule is fitted.
        x: Training samples (N, *shape).

    Returns:
        Content codes and poses.
    """
    inputs, code = model.canvas.encoder_input(x), settled.encoder.content
    assert isinstance(code, MeasuredContent)
    if not model.warp.factors and model.window == model.frame:
        code.fit(inputs)
        return MeasuredSamples(code(inputs)[0])
    chunks = torch.split(x, SAMPLES_PER_CHUNK)
    starts = [model.search.choose_angles(chunk) for chunk in chunks]
    pairs = zip(chunks, starts, strict=True)
    encoder = settled.encoder
    assert isinstance(encoder, Staged)  # recipes with measured content have no other encoder
    estimates = (
        encoder.canonicalise(model.canvas.encoder_input(chunk), angles) for chunk, angles in pairs
    )
    parts = [(canonical, pose_parameters(model, map)) for canonical, map in estimates]
    aligned = torch.cat([canonical for canonical, _ in parts])
    code.fit(inputs, aligned)
    content = code(aligned if code.sees_aligned else inputs)[0]
    return MeasuredSamples(content, _joined(starts), _joined([theta for _, theta in parts]))


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    """The rows of all parts; None if one of them is None."""
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors) if len(tensors) == len(parts) else None


@torch.no_grad()
def pose_parameters(model: Model, map: Map) -> Tensor | None:
    """Parameters (N, P) of maps, if they determine the maps.

    Args:
        model: The model of the maps.
        map: N maps before centring.

    Returns:
        Parameters; None if the warp does not give the same maps back.
    """
    theta = model.warp.theta(map)
    points = model.frame.lattice(theta)
    error = (model.warp.map(theta).pull(points) - map.pull(points)).abs().max()
    return theta if float(error) < MAX_POSE_ERROR else None


def _player(model: Model, recipe: Recipe, samples: MeasuredSamples) -> Player:
    """The player that trains the decoder of a settled model on samples with these codes.

    Noise as large as the distance to the nearest other code may be added to a code. The template of
    a code is then a mean over its neighbours rather than the noise of a single sample.
    """
    content = samples.content
    sd = MEASURED_CONTENTS[recipe.content].settling_noise * noise_sd(content)

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        rows = batch.index.to(content.device)
        codes = content[rows]
        codes = send_like(codes + sd * draw_normal(codes.shape, generator), batch.x)
        map = samples.poses(model, batch.x, rows)
        error = model.likelihood(model.decode_warped(codes, map), batch.x)
        return {"reconstruction": error.mean()}

    return Player("decoder", model.decoder, loss, recipe.optimiser)


def noise_sd(content: Tensor) -> float:
    """Standard deviation of the noise that is added to codes.

    It moves a code by about the distance to the nearest other one.

    Args:
        content: Content codes (N, D); columns without variation do not count.
    """
    n_columns = int((content.std(0, correction=0) > 0).sum())
    if len(content) < 2 or not n_columns:
        return 0.0
    distances = torch.cdist(content, content).fill_diagonal_(torch.inf)
    return float(distances.amin(1).mean() / math.sqrt(n_columns))

"""Batches with latents mixed chunk by chunk, and the errors of unmixing.

With a mask m over chunks, encoder f and decoder g, samples x1 are mixed with their partners x2 and
unmixed again (Hu et al. 2018, Disentangling factors of variation by mixing them):

    x3 = g(m f(x1) + (1 - m) f(x2))                     mixed
    x4 = g(m f(x3) + (1 - m) f(x1))                     unmixed: should equal x1

With a warp the deformation is one more chunk. `MixingAE` trains on these errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.models.critics import seed_from_weights
from unwarp.models.model import Model
from unwarp.models.posterior import Posterior
from unwarp.nets.net import Net


class MaskClassifier(nn.Module):
    """A network that predicts the mask from x1, x2 and x3.

    It has one logit per chunk, positive if the mixed sample x3 takes the chunk from x1. It has no
    batch normalisation.

    Args:
        net: Architecture of the network.
        shape: Shape of a sample, (C, H, W) or (C, T).
        names: Names of the chunks.

    Attributes:
        names: Names of the logits: `1`, `2`, ... for the chunks of content and, with a warp,
            `deformation`.

    Example:
        >>> classifier = MaskClassifier(Net("mlp", (8,)), (1, 4, 4), ("1", "2"))
        >>> x = torch.zeros(5, 1, 4, 4)
        >>> tuple(classifier(x, x, x).shape)
        (5, 2)
    """

    def __init__(self, net: Net, shape: tuple[int, ...], names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.net = replace(net, norm=False).build_encoder((3 * shape[0], *shape[1:]), len(names))

    def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> Tensor:
        """Logits of the mask.

        Args:
            x1: Samples (N, *shape) that a mask entry of 1 refers to.
            x2: Samples (N, *shape) that a mask entry of 0 refers to.
            x3: Mixed samples (N, *shape).

        Returns:
            Logits (N, chunks), above 0 for "from x1".
        """
        return torch.as_tensor(self.net(torch.cat([x1, x2, x3], 1)))


def make_mask_classifier(model: Model, net: Net, sizes: tuple[int, ...]) -> MaskClassifier:
    """A new mask classifier for the samples and chunks of a model.

    Args:
        model: The model; it sets the shape, the device and the seed of the weights.
        net: Architecture of the classifier.
        sizes: Numbers of columns of the chunks of content.

    Returns:
        A classifier with one logit per chunk, and one for the deformation if there is a warp.
    """
    chunk_names = tuple(str(i + 1) for i in range(len(sizes)))
    names = chunk_names + (("deformation",) if model.warp.factors else ())
    with seed_from_weights(model):
        return MaskClassifier(net, model.shape, names).to(model.anchor_theta.device)


@dataclass(frozen=True)
class MixedBatch:
    """A batch of samples decoded from mixed latents.

    Row i mixes the latents of rows i and `partners[i]` of the original batch.

    Attributes:
        posterior: Posterior of the batch (N) before mixing.
        partners: Row (N,) of the partner of each row.
        mask: Whether a chunk is that of the row itself, (N, chunks); the last column is the
            deformation, if there is a warp.
        content_mask: The mask of the columns of content, (N, D).
        map_mask: Whether the map is that of the row itself, (N,); False without a warp.
        map_rows: Row (N,) of the batch that each map comes from.
        content: Mixed content (N, D).
        x: Mixed samples x3 (N, *shape), decoded from `content` and warped by the mixed maps.

    Example:
        >>> from unwarp.models import AE
        >>> from unwarp.warps import Identity
        >>> model = AE(warp=Identity(), n_content=4).build((1, 8, 8)).eval()
        >>> posterior = model.encode(torch.zeros(5, 1, 8, 8))
        >>> mixed = mix(model, posterior, (2, 2), torch.Generator().manual_seed(0))
        >>> tuple(mixed.mask.shape), tuple(mixed.content_mask.shape), mixed.partners.tolist()
        ((5, 2), (5, 4), [4, 0, 1, 2, 3])
    """

    posterior: Posterior
    partners: Tensor
    mask: Tensor
    content_mask: Tensor
    map_mask: Tensor
    map_rows: Tensor
    content: Tensor
    x: Tensor


def mix(
    model: Model, posterior: Posterior, sizes: tuple[int, ...], generator: torch.Generator
) -> MixedBatch:
    """Mix each sample of a batch with its neighbour.

    A fair coin decides for each chunk of content, and for the map, if it is kept or replaced by
    that of the neighbour.

    Args:
        model: The model, which decodes the mixed latents.
        posterior: Posterior of the batch (N).
        sizes: Numbers of columns of the chunks of content.
        generator: Generator of the masks.

    Returns:
        The mixed batch (N). Row i has row i - 1 as its partner, the first row the last.
    """
    rows = torch.arange(len(posterior.content), device=posterior.content.device)
    partners, has_warp = rows.roll(1), bool(model.warp.factors)
    mask = (torch.rand(len(rows), len(sizes) + has_warp, generator=generator) < 0.5).to(rows.device)
    repeats = torch.tensor(sizes, device=rows.device)
    content_mask = mask[:, : len(sizes)].repeat_interleave(repeats, 1)
    content = torch.where(content_mask, posterior.content, posterior.content[partners])
    map_mask = mask[:, -1] if has_warp else torch.zeros_like(rows, dtype=torch.bool)
    map_rows = torch.where(map_mask, rows, partners)
    x = model.decode_warped(content, posterior.map[map_rows])
    return MixedBatch(posterior, partners, mask, content_mask, map_mask, map_rows, content, x)


def unmixed_nll(model: Model, x: Tensor, mixed: MixedBatch, reencoded: Posterior) -> Tensor:
    """Negative log-likelihood -log p(x1 | x4) of samples after unmixing.

    x4 takes the chunks that x3 had from x1 out of the re-encoded x3, and all other chunks from x1
    itself. Rows are decoded in two groups, those with re-encoded maps first: maps of a family
    cannot be mixed row by row, only indexed.

    Args:
        model: The model.
        x: Samples x1 (N, *shape) before mixing.
        mixed: Their mixed batch, which holds x3.
        reencoded: Posterior of x3.

    Returns:
        Negative log-likelihoods (N,) in nats, in the order of the two groups.
    """
    content = torch.where(mixed.content_mask, reencoded.content, mixed.posterior.content)
    masks = ((mixed.map_mask, reencoded.map), (~mixed.map_mask, mixed.posterior.map))
    groups = [(mask.nonzero()[:, 0], map) for mask, map in masks]
    return torch.cat(
        [
            model.likelihood(model.decode_warped(content[rows], map[rows]), x[rows])
            for rows, map in groups
            if len(rows)
        ]
    )


def cycle_error(mixed: MixedBatch, reencoded: Posterior) -> Tensor:
    """Error of re-encoded content codes, relative to the variance of codes.

    Args:
        mixed: The mixed batch, with the codes that x3 was decoded from.
        reencoded: Posterior of x3.

    Returns:
        A scalar: 0 if all codes come back, 1 for the mean code, 2 for the code of another sample.
    """
    codes = mixed.posterior.content
    spread = (codes - codes.mean(0)).square().sum()
    return (reencoded.content - mixed.content).square().sum() / spread.clamp_min(1e-12)


def mask_nll(classifier: MaskClassifier, x: Tensor, mixed: MixedBatch, rows: slice) -> Tensor:
    """Binary cross-entropy of the mask, summed over chunks.

    It is -log p(m | x1, x2, x3) under the classifier, with independent chunks.

    Args:
        classifier: The classifier.
        x: Samples (N, *shape) before mixing.
        mixed: Their mixed batch.
        rows: Rows of the batch that the classifier sees.

    Returns:
        Cross-entropies (R,) of the R rows, in nats; log 2 per chunk at chance.
    """
    logits = classifier(x[rows], x[mixed.partners[rows]], mixed.x[rows])
    target = mixed.mask[rows].to(logits)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)


def mask_accuracies(classifier: MaskClassifier, x: Tensor, mixed: MixedBatch) -> dict[str, Tensor]:
    """Accuracies of the classifier, chunk by chunk.

    Args:
        classifier: The classifier.
        x: Samples (N, *shape) before mixing.
        mixed: Their mixed batch.

    Returns:
        `accuracy_1`, `accuracy_2`, ... and, with a warp, `accuracy_deformation`: scalars in [0, 1].
        0.5 is chance; the decoder then ignores the chunk.
    """
    is_correct = (classifier(x, x[mixed.partners], mixed.x) > 0) == mixed.mask
    return {
        f"accuracy_{name}": share
        for name, share in zip(classifier.names, is_correct.float().mean(0), strict=True)
    }

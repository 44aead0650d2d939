"""Mixed latents of two samples, and the losses of unmixing them.

A chunk is a group of neighbouring columns of the content code; with a warp, the deformation is one
more chunk. A mask m has a random entry for each chunk, 1 or 0. With encoder f and decoder g, a
sample x1 and its partner x2 are mixed and unmixed (Hu et al. 2018, Disentangling factors of
variation by mixing them):

    x3 = g(m f(x1) + (1 - m) f(x2))                     mixed
    x4 = g(m f(x3) + (1 - m) f(x1))                     unmixed: should equal x1

`MixingAE` uses these losses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.draws import draw_uniform
from unwarp.models.critics import seed_from_weights
from unwarp.models.model import Model
from unwarp.models.posterior import Posterior
from unwarp.nets.net import Net
from unwarp.waiting import send


class MaskClassifier(nn.Module):
    """A network that predicts the mask from x1, x2 and x3.

    It returns one logit per chunk. A positive logit predicts that the mixed sample x3 has the chunk
    of x1, a negative logit that of x2. The network has no batch normalisation.

    Args:
        net: Architecture of the network.
        shape: Shape of a sample, (C, H, W) or (C, T).
        names: Names of the chunks: `1`, `2`, ... for those of the content code and, with a warp,
            `deformation`.

    Attributes:
        names: The argument `names`.

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
            x1: Samples (N, *shape), the source of chunks with a mask entry of 1.
            x2: Samples (N, *shape), the source of chunks with a mask entry of 0.
            x3: Mixed samples (N, *shape).

        Returns:
            Logits (N, chunks), positive for chunks of x1.
        """
        return torch.as_tensor(self.net(torch.cat([x1, x2, x3], 1)))


def make_mask_classifier(model: Model, net: Net, sizes: tuple[int, ...]) -> MaskClassifier:
    """A new mask classifier for the samples and chunks of a model.

    Args:
        model: The model; the classifier takes its shape and its device, and a seed from its
            weights.
        net: Architecture of the classifier.
        sizes: Number of columns of each chunk of the content code.

    Returns:
        A classifier with one logit per chunk of the content code and, with a warp, one for the
        deformation.
    """
    chunk_names = tuple(str(i + 1) for i in range(len(sizes)))
    names = chunk_names + (("deformation",) if model.warp.factors else ())
    with seed_from_weights(model):
        return MaskClassifier(net, model.shape, names).to(model.anchor_theta.device)


@dataclass(frozen=True)
class MixedBatch:
    """A batch of samples that were decoded from mixed latents.

    Row i has chunks of the sample in row i of the original batch, x1, and of its partner in row
    `partners[i]`, x2.

    Attributes:
        posterior: Posterior of the original batch (N).
        partners: Row of the partner of each row, (N,).
        mask: Whether each chunk is that of x1, (N, chunks); with a warp, the last column is for the
            deformation.
        content_mask: The mask, repeated for each column of the content code, (N, D).
        map_mask: Whether the map is that of x1, (N,); False without a warp.
        map_rows: Row of the original batch from which each map was taken, (N,).
        rows_by_map: Rows with `map_mask` True, and those with False.
        content: Mixed content codes (N, D).
        x: Mixed samples x3 (N, *shape): the templates of `content`, deformed by the maps of the
            rows `map_rows`.

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
    rows_by_map: tuple[Tensor, Tensor]
    content: Tensor
    x: Tensor


def mix(
    model: Model, posterior: Posterior, sizes: tuple[int, ...], generator: torch.Generator
) -> MixedBatch:
    """Mix the latents of each row of a batch with another row.

    Each chunk of the content code, and the map, is replaced by that of the partner with
    probability 1/2.

    Args:
        model: The model, which decodes the mixed latents.
        posterior: Posterior of the batch (N).
        sizes: Number of columns of each chunk of the content code.
        generator: Source of random numbers for the mask.

    Returns:
        The mixed batch (N). The partner of row i is row i - 1; that of row 0 is the last row.
    """
    device = posterior.content.device
    rows = torch.arange(len(posterior.content), device=device)
    partners, has_warp = rows.roll(1), bool(model.warp.factors)
    is_replaced = draw_uniform((len(rows), len(sizes) + has_warp), generator) < 0.5
    repeated = is_replaced[:, : len(sizes)].repeat_interleave(torch.tensor(sizes), 1)
    mask, content_mask = send(is_replaced, device), send(repeated, device)
    content = torch.where(content_mask, posterior.content, posterior.content[partners])
    map_mask = mask[:, -1] if has_warp else torch.zeros_like(rows, dtype=torch.bool)
    map_rows = torch.where(map_mask, rows, partners)
    is_mapped = is_replaced[:, -1] if has_warp else torch.zeros(len(rows), dtype=torch.bool)
    rows_1, rows_2 = (send(part.nonzero()[:, 0], device) for part in (is_mapped, ~is_mapped))
    x = model.decode_warped(content, posterior.map[map_rows])
    masks = (mask, content_mask, map_mask)
    return MixedBatch(posterior, partners, *masks, map_rows, (rows_1, rows_2), content, x)


def unmixed_nll(model: Model, x: Tensor, mixed: MixedBatch, reencoded: Posterior) -> Tensor:
    """Negative log-likelihood -log p(x1 | x4) of samples after unmixing.

    The latents of x4 are those of x3, encoded again, for the chunks that x3 has from x1, and those
    of x1 itself for the other chunks.

    Args:
        model: The model.
        x: Samples x1 (N, *shape) before mixing.
        mixed: The mixed batch of `x`, with the mixed samples x3.
        reencoded: Posterior of x3.

    Returns:
        Negative log-likelihoods (N,) in nats: first the rows with `mixed.map_mask` True, then the
        other rows.
    """
    # a batch of maps can be indexed, but two batches cannot be merged into one, so rows with maps
    # of x3 and rows with maps of x1 are decoded separately
    content = torch.where(mixed.content_mask, reencoded.content, mixed.posterior.content)
    groups = zip(mixed.rows_by_map, (reencoded.map, mixed.posterior.map), strict=True)
    return torch.cat(
        [
            model.likelihood(model.decode_warped(content[rows], map[rows]), x[rows])
            for rows, map in groups
            if len(rows)
        ]
    )


def cycle_error(mixed: MixedBatch, reencoded: Posterior) -> Tensor:
    """Squared error of re-encoded content codes, divided by the variance of codes.

    Args:
        mixed: The mixed batch, with the content codes from which x3 was decoded.
        reencoded: Posterior of x3.

    Returns:
        A scalar: 0 if x3 is encoded to exactly these codes, about 1 if every x3 is encoded to the
        mean code, about 2 if it is encoded to the code of a random sample.
    """
    codes = mixed.posterior.content
    spread = (codes - codes.mean(0)).square().sum()
    return (reencoded.content - mixed.content).square().sum() / spread.clamp_min(1e-12)


def mask_nll(classifier: MaskClassifier, x: Tensor, mixed: MixedBatch, rows: slice) -> Tensor:
    """Binary cross-entropy of the mask under the classifier, summed over chunks.

    It is -log p(m | x1, x2, x3), with the mask entries taken as independent.

    Args:
        classifier: The classifier.
        x: Samples (N, *shape) before mixing.
        mixed: The mixed batch of `x`.
        rows: Rows of the batch that the classifier sees.

    Returns:
        Cross-entropies (R,) of the R rows, in nats; log 2 per chunk for a classifier at chance
        level.
    """
    logits = classifier(x[rows], x[mixed.partners[rows]], mixed.x[rows])
    target = mixed.mask[rows].to(logits)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)


def mask_accuracies(classifier: MaskClassifier, x: Tensor, mixed: MixedBatch) -> dict[str, Tensor]:
    """Accuracy of the classifier for each chunk.

    Args:
        classifier: The classifier.
        x: Samples (N, *shape) before mixing.
        mixed: The mixed batch of `x`.

    Returns:
        `accuracy_1`, `accuracy_2`, ... and, with a warp, `accuracy_deformation`: scalars in [0, 1].
        An accuracy near the chance level 0.5 suggests that the decoder ignores the chunk.
    """
    is_correct = (classifier(x, x[mixed.partners], mixed.x) > 0) == mixed.mask
    return {
        f"accuracy_{name}": share
        for name, share in zip(classifier.names, is_correct.float().mean(0), strict=True)
    }

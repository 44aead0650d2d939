"""`Model`: the encoder, the decoder and the warp that all families share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unwarp.models.canvas import Canvas
from unwarp.models.hooks import Hooks
from unwarp.models.latent import Latent
from unwarp.models.likelihood import Likelihood, StandardDeviation
from unwarp.models.networks import Networks
from unwarp.models.pose_search import PoseSearch, SingleStart
from unwarp.models.posterior import Posterior
from unwarp.warps import Map, Warp

SAMPLES_PER_CHUNK = 1024
"""Samples that are encoded at once when a model is centred."""
INITIAL_LEARNED_PRIOR = 0.5
"""Standard deviation, in half-ranges, at which a learned prior begins."""


class Model(nn.Module):
    """An autoencoder with a differentiable warp: template, content code and deformation.

    The encoder reads a content code and a deformation from a sample. The decoder turns the content
    into a template, which cannot depend on the deformation. The warp, which has no parameters,
    moves the template to the reconstruction.

    `Recipe.build` makes a model, `train` trains it, and `train` ends with `centre`: the mean
    deformation of the training samples becomes the identity, and the templates move instead.
    `embed`, `template` and `reconstruct` count deformations from there. `encode` and
    `decode_warped`, for losses, work before centring.

    Args:
        canvas: The frame of a sample, and the window that templates fill.
        warp: The family of deformations, bound to the frame.
        networks: Encoder, decoder, and the link that follows the warp.
        likelihood: The observation model.
        prior: Standard deviation of the prior over the deformation in half-ranges, or `learned`.
        search: The search for the angle at which a pose begins.

    Attributes:
        shape: Shape of a sample, (C, H, W) or (C, T).
        n_content: Size D of the content code.
        anchor_theta: The mean deformation that centring removes: parameters (1, P), or (M, P) for M
            clusters of poses; 0 before centring.
        log_prior: Log standard deviations of the prior over the deformation, in half-ranges (P,); a
            parameter if they are learned.

    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import Affine2d
    >>> recipe = AE(warp=Affine2d(), n_content=3, net=Net("mlp", (8,), (8,)))
    >>> model = recipe.build((1, 8, 8)).eval()
    >>> latent = model.embed(torch.rand(5, 1, 8, 8))
    >>> tuple(latent.content.shape), tuple(model.template(latent.content).shape)
    ((5, 3), (5, 1, 8, 8))
    >>> tuple(model.reconstruct(latent).shape)
    (5, 1, 8, 8)
    """

    anchor_theta: Tensor
    log_prior: Tensor

    def __init__(
        self,
        canvas: Canvas,
        warp: Warp,
        networks: Networks,
        likelihood: Likelihood,
        prior: StandardDeviation,
        search: PoseSearch | SingleStart,
    ) -> None:
        super().__init__()
        self.canvas, self.warp = canvas, warp
        self.shape, self.window, self.frame = canvas.shape, canvas.window, canvas.frame
        self.padding, self.gaps = canvas.padding, canvas.gaps
        self.encoder, self.decoder, self.link = networks.encoder, networks.decoder, networks.link
        self.likelihood, self.search = likelihood, search
        self.n_content = networks.encoder.n_content
        # the chart of a warp with a residual depends on its anchor, so it has a single one
        n_anchors = search.n_clusters if len(warp.parts) == 1 else 1
        self.register_buffer("anchor_theta", torch.zeros(max(1, n_anchors), len(warp.factors)))
        initial = INITIAL_LEARNED_PRIOR if prior == "learned" else prior
        log_prior = torch.full((len(warp.factors),), initial).log()
        if prior == "learned" and warp.factors:
            self.log_prior = nn.Parameter(log_prior)
        else:
            self.register_buffer("log_prior", log_prior, persistent=False)

    @property
    def anchor(self) -> Map:
        """The deformation that centring removes, as an invertible map of one row.

        With several clusters of poses it is the mean of their deformations.
        """
        return self.warp.mean(self.warp.map(self.anchor_theta))

    @property
    def chart(self) -> Warp:
        """The warp that describes centred maps by theta.

        `model.chart.theta(model.embed(x).map)` gives the parameters (N, P), and
        `model.chart.map(theta)` leads back. Most warps are their own chart.
        """
        return self.warp.recentre(self.anchor)

    @property
    def prior(self) -> Tensor:
        """Standard deviations of the prior over the deformation, in half-ranges (P,).

        It counts deformations before centring.
        """
        return self.log_prior.exp()

    @property
    def training_hooks(self) -> Hooks:
        """Updates of the pose clusters during a run, and centring after it.

        `train` calls them.
        """
        return Hooks(self.search.n_updates, self.search.update_clusters, self.centre)

    def _anchor_for(self, content: Tensor) -> Map:
        """The centring of content (N, D): one map for all, or N maps for several anchors."""
        if len(self.anchor_theta) == 1:
            return self.anchor
        return self.warp.map(self.search.memberships(content) @ self.anchor_theta)

    def encode(
        self,
        x: Tensor,
        noise: torch.Generator | None = None,
        angles: Tensor | None = None,
    ) -> Posterior:
        """The posterior of samples over content and deformation, before centring.

        Args:
            x: Samples (N, *shape).
            noise: Generator of a sample of the posterior; None for its mean.
            angles: Angles (N,) in radians at which the poses begin; None to search for them.

        Returns:
            A posterior of N rows.

        Raises:
            DataError: The samples have another shape.
        """
        angles = self.search.choose_angles(x) if angles is None else angles
        posterior: Posterior = self.encoder(self.canvas.encoder_input(x), noise, angles)
        return posterior

    def embed(self, x: Tensor) -> Latent:
        """Content codes and centred deformations of samples, the posterior means.

        In evaluation mode they do not depend on the batch that a sample is in.

        Args:
            x: Samples (N, *shape).

        Returns:
            Content codes (N, D) and N maps.

        Raises:
            DataError: The samples have another shape.
        """
        posterior = self.encode(x)
        anchor = self._anchor_for(posterior.content)
        return Latent(posterior.content, posterior.map.compose(anchor.invert()))

    def pose(self, x: Tensor) -> Map:
        """Centred deformations of samples, the maps of `embed(x)`.

        With a single anchor the content network does not run.

        Args:
            x: Samples (N, *shape).

        Returns:
            N maps.

        Raises:
            DataError: The samples have another shape.
        """
        if len(self.anchor_theta) > 1:
            return self.embed(x).map
        map = self.encoder.pose(self.canvas.encoder_input(x), self.search.choose_angles(x))
        return map.compose(self.anchor.invert())

    def decode(self, content: Tensor) -> Tensor:
        """Raw templates of content codes, before centring, the warp and the link.

        Args:
            content: Content codes (N, D).

        Returns:
            Templates (N, C, ...) on the window.
        """
        return torch.as_tensor(self.decoder(content))

    def template(self, content: Tensor) -> Tensor:
        """Templates of content codes: samples without a deformation.

        Args:
            content: Content codes (N, D).

        Returns:
            Templates on the whole frame (N, *shape), in the units of the samples.
        """
        rendering = self.canvas.render(self.decode(content), self._anchor_for(content))
        return torch.as_tensor(self.link(rendering)).expand(len(content), *self.shape)

    def reconstruct(self, latent: Latent) -> Tensor:
        """Templates deformed by centred maps.

        The raw template is resampled once, by the product of map and anchor, so that centring costs
        no sharpness.

        Args:
            latent: Content codes (N, D) and N maps, as `embed` returns them.

        Returns:
            Reconstructions (N, *shape).
        """
        map = latent.map.compose(self._anchor_for(latent.content))
        return self.decode_warped(latent.content, map)

    def decode_warped(self, content: Tensor, map: Map) -> Tensor:
        """Templates of content codes deformed by maps before centring.

        Args:
            content: Content codes (N, D).
            map: N maps before centring, such as `Posterior.map`.

        Returns:
            Reconstructions (N, *shape).
        """
        return self.apply_map(self.decode(content), map)

    def apply_map(self, templates: Tensor, map: Map) -> Tensor:
        """Raw templates deformed by maps before centring.

        Args:
            templates: Raw templates (N, C, ...) of `decode`.
            map: N maps before centring.

        Returns:
            Reconstructions (N, *shape), after the link.
        """
        return torch.as_tensor(self.link(self.canvas.render(templates, map)))

    def sample_latents(
        self,
        n: int,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Random content codes and deformations from their priors.

        Content is N(0, 1). Deformations are Gaussian with the standard deviations `prior`; periodic
        columns are uniform.

        Args:
            n: Number of draws.
            generator: Generator of the draws, on the CPU; None for torch's own.

        Returns:
            Content (n, D) and theta (n, P), before centring, on the model's device.
        """
        factors, reference = self.warp.factors, self.anchor_theta
        content = torch.randn(n, self.n_content, generator=generator).to(reference)
        normal = torch.randn(n, len(factors), generator=generator).to(reference) * self.prior
        uniform = (2 * torch.rand(n, len(factors), generator=generator) - 1).to(reference)
        flags = [f.periodic for f in factors]
        is_periodic = torch.tensor(flags, dtype=torch.bool, device=reference.device)
        half_ranges = reference.new_tensor([f.half_range for f in factors])
        return content, torch.where(is_periodic, uniform, normal) * half_ranges

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """New samples from the priors of content and deformation.

        They resemble the data only if the recipe is `generative`.

        Args:
            n: Number of samples.
            generator: Generator of the draws, on the CPU; None for torch's own.

        Returns:
            Samples (n, *shape).
        """
        content, theta = self.sample_latents(n, generator)
        return self.decode_warped(content, self.warp.map(theta))

    @torch.no_grad()
    def centre(self, x: Tensor) -> None:
        """Form the pose clusters and set the mean deformations that centring removes.

        Templates take over the mean deformation, so the reconstruction of a pose stays the same.
        With several clusters of poses each one is centred separately.

        Args:
            x: Training samples (N, *shape); `train` passes up to 4,096 of them.
        """
        was_training = self.training
        self.eval()
        self.search.update_clusters(x)
        posteriors = map(self.encode, torch.split(x, SAMPLES_PER_CHUNK))
        pairs = [(self.warp.theta(posterior.map), posterior.content) for posterior in posteriors]
        theta, content = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        has_clusters = len(self.anchor_theta) > 1
        clusters = (
            self.search.nearest_cluster(content)
            if has_clusters
            else content.new_zeros(len(content))
        )
        for i in range(len(self.anchor_theta)):
            # an empty cluster takes the mean over all samples
            rows = clusters == i if (clusters == i).any() else clusters >= 0
            self.anchor_theta[i] = self.warp.theta(self.warp.mean(self.warp.map(theta[rows])))[0]
        self.train(was_training)

"""`Model`: the encoder, the decoder and the warp that all families share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unwarp.draws import draw_normal, draw_uniform
from unwarp.models.canvas import Canvas
from unwarp.models.hooks import Hooks
from unwarp.models.latent import Latent
from unwarp.models.likelihood import Likelihood, StandardDeviation
from unwarp.models.networks import Networks
from unwarp.models.pose_search import PoseSearch, SingleStart
from unwarp.models.posterior import Posterior
from unwarp.waiting import send_like
from unwarp.warps import Map, Warp
from unwarp.warps.constants import constant, flags

SAMPLES_PER_CHUNK = 1024
"""Number of samples that are encoded at once when a model is centred."""
INITIAL_LEARNED_PRIOR = 0.5
"""Initial standard deviation of a learned prior over the deformation, in half-ranges."""


class Model(nn.Module):
    """An autoencoder with a differentiable warp: template, content code and deformation.

    The encoder predicts a content code and a deformation from a sample. The decoder turns the
    content code into a template; the deformation is no input of the decoder. The warp, which has no
    trainable parameters, deforms the template into the reconstruction. The parameters of a
    deformation are called theta, one column per factor of the warp. "In half-ranges" means that
    each column of theta is divided by `Factor.half_range`, half of the width between its bounds.

    `Recipe.build` makes a model, and `train` trains it. After the last step, `train` calls
    `centre`. Centring removes the mean deformation of the training samples, the anchor, from all
    maps and applies it to the templates. `embed`, `pose`, `template` and `reconstruct` work with
    centred maps and templates. `encode`, `decode`, `apply_map`, `decode_warped` and
    `sample_latents`, which losses use, work with maps and templates before centring.

    Args:
        canvas: The frame of a sample, and the window that templates fill.
        warp: The family of deformations, bound to the frame.
        networks: Encoder, decoder, and the link that is applied after the warp.
        likelihood: The observation model.
        prior: Standard deviation of the prior over the deformation in half-ranges, or `learned`.
        search: The choice of a start angle for each sample.

    Attributes:
        shape: Shape of a sample, (C, H, W) or (C, T).
        n_content: Size D of the content code.
        anchor_theta: Parameters of the anchor (1, P), or (M, P) for the anchors of M pose clusters;
            0 before centring.
        log_prior: Log standard deviations (P,) of the prior over the deformation, in half-ranges; a
            trainable parameter if they are learned.

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
        # `chart` of a chain of warps depends on the anchor, so all pose clusters share one anchor
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
        """The mean deformation that centring removes: an invertible map, one row.

        With several pose clusters it is the mean of their anchors.
        """
        anchors = self.warp.map(self.anchor_theta)
        # one anchor is a mean already, unless its part without an inverse is left out
        return anchors if len(anchors) == 1 and anchors.is_invertible else self.warp.mean(anchors)

    @property
    def chart(self) -> Warp:
        """The warp that converts centred maps to parameters theta and back.

        `model.chart.theta(map)` gives the parameters (N, P) of the centred maps `map`, such as
        `model.embed(x).map`, and `model.chart.map(theta)` the maps of parameters. For most warps it
        equals `model.warp`.
        """
        return self.warp.recentre(self.anchor)

    @property
    def prior(self) -> Tensor:
        """Standard deviations (P,) of the prior over the deformation, in half-ranges.

        The prior applies to deformations before centring.
        """
        return self.log_prior.exp()

    @property
    def training_hooks(self) -> Hooks:
        """The functions that `train` calls, such as `centre`."""
        search = self.search
        begin = self.encoder.begin
        return Hooks(search.n_updates, search.update_clusters, self.centre, begin)

    def anchor_of(self, content: Tensor) -> Map:
        """The anchors of samples: one map for all, or N maps.

        With several pose clusters, theta of an anchor is the mean over the clusters' anchors,
        weighted by the memberships of the sample.

        Args:
            content: Content codes (N, D).
        """
        if len(self.anchor_theta) == 1:
            return self.anchor
        return self.warp.map(self.search.memberships(content) @ self.anchor_theta)

    def encode(
        self,
        x: Tensor,
        generator: torch.Generator | None = None,
        angles: Tensor | None = None,
    ) -> Posterior:
        """The posterior of samples over content and deformation, before centring.

        Args:
            x: Samples (N, *shape).
            generator: Source of random numbers, to sample from the posterior; None for the
                posterior mean.
            angles: Start angles (N,) in radians, or with mirrors (N, 2); None to choose them by
                `search`.

        Returns:
            A posterior of N rows.

        Raises:
            DataError: The samples have another shape.
        """
        angles = self.search.choose_angles(x) if angles is None else angles
        posterior: Posterior = self.encoder(self.canvas.encoder_input(x), generator, angles)
        return posterior

    def embed(self, x: Tensor) -> Latent:
        """Posterior means of content codes and centred deformations of samples.

        In evaluation mode the result of a sample does not depend on the other samples of the batch.

        Args:
            x: Samples (N, *shape).

        Returns:
            Content codes (N, D) and N centred maps.

        Raises:
            DataError: The samples have another shape.
        """
        posterior = self.encode(x)
        anchor = self.anchor_of(posterior.content)
        return Latent(posterior.content, posterior.map.compose(anchor.invert()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All that a model says about samples, as plain tensors.

        `torch.compile(model)` and `torch.export.export(model, (x,))` trace it; with `strict=True`
        an exported program takes batches of any number. Trace a trained model in evaluation mode: a
        traced graph takes pose clusters as formed. It checks no values and looks for no NaN.

        Args:
            x: Samples (N, *shape).

        Returns:
            Content codes (N, D), theta (N, P) of the deformations before centring, which
            `decode_warped(content, warp.map(theta))` takes, centred templates (N, *shape), and
            reconstructions (N, *shape).

        Raises:
            DataError: The samples have another shape.
        """
        posterior = self.encode(x)
        content, map = posterior.content, posterior.map
        reconstructions = self.decode_warped(content, map)
        return content, self.warp.theta(map), self.template(content), reconstructions

    def encode_content(self, x: Tensor) -> Tensor:
        """Content codes of samples, as in `embed(x).content`.

        Faster than `embed` where codes are measured: the pose needs further runs.

        Args:
            x: Samples (N, *shape).

        Returns:
            Content codes (N, D).

        Raises:
            DataError: The samples have another shape.
        """
        angles = self.search.choose_angles(x)
        return self.encoder.content_code(self.canvas.encoder_input(x), angles)

    def pose(self, x: Tensor) -> Map:
        """Centred deformations of samples, as in `embed(x).map`.

        Faster than `embed` if there is one anchor, since the content network does not run.

        Args:
            x: Samples (N, *shape).

        Returns:
            N centred maps.

        Raises:
            DataError: The samples have another shape.
        """
        if len(self.anchor_theta) > 1:
            return self.embed(x).map
        map = self.encoder.pose(self.canvas.encoder_input(x), self.search.choose_angles(x))
        return map.compose(self.anchor.invert())

    def decode(self, content: Tensor) -> Tensor:
        """Raw templates of content codes: before centring, the warp and the link.

        Args:
            content: Content codes (N, D).

        Returns:
            Raw templates (N, C, ...) on the window.
        """
        return torch.as_tensor(self.decoder(content))

    def template(self, content: Tensor) -> Tensor:
        """Centred templates of content codes: samples without a deformation.

        Args:
            content: Content codes (N, D).

        Returns:
            Templates on the whole frame (N, *shape), in the units of the samples.
        """
        rendering = self.canvas.render(self.decode(content), self.anchor_of(content))
        return torch.as_tensor(self.link(rendering)).expand(len(content), *self.shape)

    def reconstruct(self, latent: Latent) -> Tensor:
        """Reconstructions of samples from content codes and centred maps.

        The raw template is resampled once, by the product of map and anchor. Centring therefore
        does not blur reconstructions.

        Args:
            latent: Content codes (N, D) and N centred maps, as `embed` returns them.

        Returns:
            Reconstructions (N, *shape).
        """
        map = latent.map.compose(self.anchor_of(latent.content))
        return self.decode_warped(latent.content, map)

    def decode_warped(self, content: Tensor, map: Map) -> Tensor:
        """Reconstructions from content codes and maps before centring.

        Args:
            content: Content codes (N, D).
            map: N maps before centring, such as `Posterior.map`.

        Returns:
            Reconstructions (N, *shape).
        """
        return self.apply_map(self.decode(content), map)

    def apply_map(self, templates: Tensor, map: Map) -> Tensor:
        """Reconstructions from raw templates and maps before centring.

        Args:
            templates: Raw templates (N, C, ...), as `decode` returns them.
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
        """Random content codes and deformation parameters from their priors.

        Content codes are drawn from N(0, I). Each column of theta is Gaussian with mean 0 and the
        standard deviation `prior` (in half-ranges); periodic columns are uniform, and discrete
        columns have each of their two values half of the time.

        Args:
            n: Number of samples.
            generator: Source of random numbers, on the CPU; None for torch's global generator.

        Returns:
            Content codes (n, D) and parameters theta (n, P) of maps before centring, on the model's
            device.
        """
        factors, reference = self.warp.factors, self.anchor_theta
        content = send_like(draw_normal((n, self.n_content), generator), reference)
        normal = send_like(draw_normal((n, len(factors)), generator), reference) * self.prior
        uniform = send_like(2 * draw_uniform((n, len(factors)), generator) - 1, reference)
        is_periodic = flags(tuple(f.periodic for f in factors), reference)
        is_discrete = flags(tuple(f.discrete for f in factors), reference)
        half_ranges = constant(tuple(f.half_range for f in factors), reference)
        theta = torch.where(is_periodic, uniform, normal) * half_ranges
        return content, torch.where(is_discrete, (uniform > 0).to(theta), theta)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """New samples from the priors of content and deformation.

        They resemble the training samples only if `generative` of the recipe is True.

        Args:
            n: Number of samples.
            generator: Source of random numbers, on the CPU; None for torch's global generator.

        Returns:
            Samples (n, *shape).
        """
        content, theta = self.sample_latents(n, generator)
        return self.decode_warped(content, self.warp.map(theta))

    @torch.no_grad()
    def centre(self, x: Tensor) -> None:
        """Form the pose clusters, and set the anchor to the mean deformation.

        The anchor is removed from all maps and applied to the templates, so reconstructions do not
        change. With several pose clusters, each cluster gets its own anchor. Lags on a circle, of
        periodic series, have no mean and stay as they are.

        Args:
            x: Training samples (N, *shape); `train` passes up to 4,096 of them.
        """
        if self.encoder.has_circular_lags:
            return
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
        for i, first in enumerate(self._first_equal_clusters()):
            # an empty cluster takes the mean over all samples
            rows = clusters == first if (clusters == first).any() else clusters >= 0
            self.anchor_theta[i] = self.warp.theta(self.warp.mean(self.warp.map(theta[rows])))[0]
        self.train(was_training)

    def _first_equal_clusters(self) -> list[int]:
        """For each anchor, the first pose cluster with the same centre.

        Where few clusters are enough, centres are repeated; only the first of equal ones has
        samples.
        """
        search, n = self.search, len(self.anchor_theta)
        if n == 1 or not isinstance(search, PoseSearch):
            return list(range(n))
        return [int(i) for i in search.nearest_cluster(search.clusters)]

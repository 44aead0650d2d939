"""The theory of the evidence lower bound, executed on a model whose evidence is known.

    python examples/elbo_theory.py [--quick] [--out FOLDER]

Probabilistic PCA (Tipping and Bishop 1999), z ~ N(0, I), x | z ~ N(W z, sigma^2 I), has log p(x)
and p(z | x) in closed form. Shows that ELBO + KL(q || posterior) = log p(x) for any q, that the
importance-weighted bound rises to log p(x) with the number of samples k, and that beta and the
capacity trade rate against distortion along Shannon's curve. Prints what was measured beside what
the theory says, and draws `elbo_theory.png`. `docs/theory/variational.md` has the derivations.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from unwarp.models.losses import gaussian_energy, gaussian_nll, gaussian_rate, reparametrise
from unwarp.models.schedules import ramp
from unwarp.plots import BLUE, GREY, RED, STYLE, TEXT_COLOUR

LATENTS, FEATURES, SIGMA = 2, 5, 0.5**0.5
SPECTRUM = torch.tensor(
    [12.0, 1.5, 0.5, 0.5, 0.5], dtype=torch.float64
)  # of the data's covariance; sigma^2 = 0.5
BETAS = (0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0)
CAPACITIES = (0.65, 1.8, 3.2)
GAMMA, SHIFTED = 12.0, 2.0  # gamma beyond the slope of the curve, 6.5 at C = 0.65
Table = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class PPCA:
    """x = W z + noise: `weight` W (D, L), noise of standard deviation `sigma`."""

    weight: Tensor
    sigma: float

    def log_evidence(self, x: Tensor) -> Tensor:
        """The evidence log p(x) of samples (N, D), (N,)."""
        covariance = self.weight @ self.weight.T + self.sigma**2 * torch.eye(len(self.weight)).to(x)
        return MultivariateNormal(torch.zeros_like(x[0]), covariance).log_prob(x)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """The joint density log p(x, z) of one sample (D,) and codes (N, L), (N,)."""
        seen = -gaussian_nll(z @ self.weight.T, x.expand(len(z), -1), self.sigma)
        return seen - gaussian_energy(z) - 0.5 * z.shape[1] * math.log(2 * math.pi)

    def posterior(self, x: Tensor) -> MultivariateNormal:
        """p(z | x) of one sample (D,)."""
        precision = torch.eye(LATENTS).to(x) + self.weight.T @ self.weight / self.sigma**2
        mean = torch.linalg.solve(precision, self.weight.T @ x) / self.sigma**2
        return MultivariateNormal(mean, precision_matrix=precision)

    def elbo(self, x: Tensor, q: MultivariateNormal) -> Tensor:
        """E_q log p(x | z) - KL(q || p(z)) of one sample (D,), in closed form."""
        spread = (self.weight @ q.covariance_matrix @ self.weight.T).trace() / (2 * self.sigma**2)
        prior = MultivariateNormal(torch.zeros_like(q.mean), torch.eye(LATENTS).to(x))
        nll = gaussian_nll((self.weight @ q.mean)[None], x[None], self.sigma)[0]
        return -nll - spread - kl_divergence(q, prior)


def model(seed: int = 1) -> tuple[PPCA, Tensor]:
    """A model with the given spectrum, latent axes turned by 45 degrees, and a sample (D,)."""
    random = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(FEATURES, FEATURES, generator=random, dtype=torch.float64))[
        0
    ]
    turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)
    ppca = PPCA(axes[:, :LATENTS] * (SPECTRUM[:LATENTS] - SIGMA**2).sqrt() @ turn, SIGMA)
    z, noise = (torch.randn(n, generator=random, dtype=torch.float64) for n in (LATENTS, FEATURES))
    return ppca, ppca.weight @ z + SIGMA * noise


def candidates(posterior: MultivariateNormal) -> dict[str, MultivariateNormal]:
    """Approximate posteriors from bad to exact; `factorised` is the best without correlations."""
    mean, covariance = posterior.mean, posterior.covariance_matrix
    factorised = (1 / posterior.precision_matrix.diagonal()).diag()
    return {
        "prior": MultivariateNormal(torch.zeros_like(mean), torch.eye(LATENTS).to(mean)),
        "too narrow": MultivariateNormal(mean, covariance / 8),
        "marginals": MultivariateNormal(mean, covariance.diagonal().diag()),
        "displaced": MultivariateNormal(mean + 0.5, covariance),
        "factorised": MultivariateNormal(mean, factorised),
        "posterior": posterior,
    }


class Bound(NamedTuple):
    """The identity ELBO + KL(q || posterior) = log p(x), by name of q."""

    q: dict[str, MultivariateNormal]
    elbo: dict[str, float]
    gap: dict[str, float]
    evidence: float


def bound(ppca: PPCA, x: Tensor) -> Bound:
    """The ELBO of every candidate, and its distance from the evidence."""
    posterior = ppca.posterior(x)
    q = candidates(posterior)
    elbo = {name: float(ppca.elbo(x, each)) for name, each in q.items()}
    gap = {name: float(kl_divergence(each, posterior)) for name, each in q.items()}
    return Bound(q, elbo, gap, float(ppca.log_evidence(x[None])[0]))


class Gradients(NamedTuple):
    """d ELBO / d mean of q by two estimators: mean (L,) and standard deviation of one draw (L,)."""

    exact: Tensor
    reparametrised: tuple[Tensor, Tensor]
    score: tuple[Tensor, Tensor]


def gradients(ppca: PPCA, x: Tensor, q: MultivariateNormal, draws: int) -> Gradients:
    """Gradient by the mean of a factorised q: reparametrised, and by the score function."""
    posterior, sd = ppca.posterior(x), q.stddev
    random = torch.Generator().manual_seed(0)
    mean = (q.mean + 0.3).expand(draws, -1).clone().requires_grad_()
    z = reparametrise(mean, sd.log().expand(draws, -1), random)
    log_q = -0.5 * ((z - mean) / sd).square().sum(1)  # constants move nothing
    log_ratio = ppca.log_joint(x, z) - log_q
    (through_sample,) = torch.autograd.grad(log_ratio.sum(), mean)
    through_density = log_ratio.detach()[:, None] * (z - mean).detach() / sd**2
    exact = -posterior.precision_matrix @ (mean[0].detach() - posterior.mean)
    both = [(each.mean(0), each.std(0)) for each in (through_sample, through_density)]
    return Gradients(exact, both[0], both[1])


class Tightening(NamedTuple):
    """The importance-weighted bound over k, and log p(x) - Var(w / p(x)) / 2k, by name of q."""

    k: list[int]
    measured: dict[str, list[float]]
    asymptote: dict[str, list[float]]


def tightening(ppca: PPCA, x: Tensor, known: Bound, draws: int) -> Tightening:
    """IWAE bounds from nested partitions of one set of weights (Burda et al. 2016)."""
    k = [2**i for i in range(11)]
    measured, asymptote = {}, {}
    side = torch.linspace(-8, 8, 801, dtype=torch.float64)
    lattice, posterior = torch.cartesian_prod(side, side), known.q["posterior"]
    for name in ("prior", "marginals", "factorised", "posterior"):
        q = known.q[name]
        noise = torch.randn(
            draws, LATENTS, generator=torch.Generator().manual_seed(2), dtype=torch.float64
        )
        z = q.mean + noise @ q.scale_tril.T
        log_w = ppca.log_joint(x, z) - q.log_prob(z)
        measured[name] = [
            float((log_w.reshape(-1, n).logsumexp(1) - math.log(n)).mean()) for n in k
        ]
        ratio = (2 * posterior.log_prob(lattice) - q.log_prob(lattice)).exp().sum() * (
            side[1] - side[0]
        ) ** 2
        if (
            name != "factorised"
        ):  # it is narrower than the posterior along an axis: the variance is infinite
            asymptote[name] = [known.evidence - (float(ratio) - 1) / (2 * n) for n in k]
    return Tightening(k, measured, asymptote)


def shannon(levels: Tensor) -> tuple[Tensor, Tensor]:
    """Rate and distortion in nats of the best linear models for noise `levels` (M,).

    Reverse water-filling (Shannon 1959): a dimension of variance v costs log(v / s) / 2 nats for a
    squared error s, and is switched off where v < s. A VAE of weight beta sits at s = beta sigma^2.
    """
    kept = torch.maximum(SPECTRUM[:LATENTS], levels[:, None])
    error = torch.minimum(SPECTRUM[:LATENTS], levels[:, None]).sum(1) + SPECTRUM[LATENTS:].sum()
    constant = 0.5 * FEATURES * math.log(2 * math.pi * SIGMA**2)
    return 0.5 * (kept / levels[:, None]).log().sum(1), error / (2 * SIGMA**2) + constant


class Trade(NamedTuple):
    """Rate and distortion of trained linear VAEs, and the effect of eps on their weights."""

    beta: dict[float, tuple[float, float]]
    capacity: dict[float, tuple[float, float]]
    moved_by_eps: float


def trade(ppca: PPCA, steps: int, samples: int = 64) -> Trade:
    """Train linear VAEs in parallel: one per beta, one per capacity, and one with eps = 5."""
    x = (
        whitened(samples)
        @ torch.linalg.cholesky(ppca.weight @ ppca.weight.T + SIGMA**2 * torch.eye(FEATURES)).T
    )
    runs, capacities = len(BETAS) + 1 + len(CAPACITIES), torch.tensor(CAPACITIES).double()
    beta, eps = torch.tensor([*BETAS, SHIFTED]).double(), torch.tensor([0.0] * len(BETAS) + [5.0])
    random = torch.Generator().manual_seed(0)
    shapes = ((LATENTS, FEATURES), (FEATURES, LATENTS), (1, LATENTS))
    weights = [
        (0.3 * torch.randn(shape, generator=random).double()).repeat(runs, 1, 1).requires_grad_()
        for shape in shapes
    ]
    optimiser, target = torch.optim.Adam(weights, 0.05), ramp(0, 1, steps // 3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        rate, distortion = rate_distortion(x, *weights)
        free, held = rate[: len(beta)], rate[len(beta) :]
        loss = (
            distortion.sum()
            + (beta * (free - eps)).sum()
            + GAMMA * (held - target(step) * capacities).abs().sum()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    final = [weight.detach() for weight in weights]
    points = [(float(r), float(d)) for r, d in zip(*rate_distortion(x, *final), strict=True)]
    moved = max(
        float((weight[len(BETAS)] - weight[BETAS.index(SHIFTED)]).abs().max()) for weight in final
    )
    held_points = dict(zip(CAPACITIES, points[len(beta) :], strict=True))
    return Trade(dict(zip(BETAS, points, strict=False)), held_points, moved)


def whitened(n: int) -> Tensor:
    """`n` samples (n, D) whose mean is 0 and whose covariance is the identity, exactly."""
    x = torch.randn(n, FEATURES, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x - x.mean(0)
    return torch.linalg.solve_triangular(torch.linalg.cholesky(x.T @ x / n), x.T, upper=False).T


def rate_distortion(
    x: Tensor, encoder: Tensor, decoder: Tensor, log_sd: Tensor
) -> tuple[Tensor, Tensor]:
    """KL divergence (M,) and expected -log p(x | z) (M,) of M linear VAEs, in closed form.

    Encoders (M, L, D), decoders (M, D, L), log standard deviations (M, 1, L).
    """
    mean = x @ encoder.mT
    rate = gaussian_rate(mean, log_sd).mean(1)
    drawn = (mean @ decoder.mT).flatten(0, 1)
    nll = gaussian_nll(drawn, x.repeat(len(encoder), 1), SIGMA).reshape(len(encoder), -1).mean(1)
    spread = (decoder * log_sd.exp()).square().sum((1, 2))
    return rate, nll + spread / (2 * SIGMA**2)


def rows(known: Bound, slopes: Gradients, tight: Tightening, curve: Trade) -> Table:
    """What was measured and what the theory says, by name."""
    table = {
        f"ELBO + KL, q = {name}": (known.elbo[name] + known.gap[name], known.evidence)
        for name in known.q
    }
    table["ELBO, q = posterior"] = (known.elbo["posterior"], known.evidence)
    for i in range(LATENTS):
        table[f"dELBO / d mean {i}, reparametrised"] = (
            float(slopes.reparametrised[0][i]),
            float(slopes.exact[i]),
        )
        table[f"dELBO / d mean {i}, score function"] = (
            float(slopes.score[0][i]),
            float(slopes.exact[i]),
        )
    for name, values in tight.measured.items():
        limits = tight.asymptote.get(name, [known.evidence] * len(values))
        for i in (0, 6, 10):
            theory = limits[i] if i else known.elbo[name]
            table[f"IWAE bound, q = {name}, k = {tight.k[i]}"] = (values[i], theory)
    rates, distortions = shannon(torch.tensor(BETAS).double() * SIGMA**2)
    for (beta, (rate, distortion)), r, d in zip(
        curve.beta.items(), rates, distortions, strict=True
    ):
        table[f"rate, beta = {beta:g}"] = (rate, float(r))
        table[f"distortion, beta = {beta:g}"] = (distortion, float(d))
    for capacity, (rate, distortion) in curve.capacity.items():
        table[f"rate, C = {capacity:g}"] = (rate, capacity)
        table[f"distortion, C = {capacity:g}"] = (distortion, distortion_at(capacity))
    table["weights moved by eps = 5"] = (curve.moved_by_eps, 0.0)
    return table


def distortion_at(rate: float) -> float:
    """Shannon's distortion at a rate, by bisection."""
    low, high = 1e-6, float(SPECTRUM[0])
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (
            (middle, high)
            if float(shannon(torch.tensor([middle]).double())[0]) > rate
            else (low, middle)
        )
    return float(shannon(torch.tensor([low]).double())[1])


def show(table: Table, known: Bound, slopes: Gradients) -> None:
    """Print the table."""
    print(f"{'':<42}{'measured':>11}{'theory':>11}")
    for name, (measured, theory) in table.items():
        print(f"{name:<42}{round(measured, 4) + 0.0:>11.4f}{round(theory, 4) + 0.0:>11.4f}")
    for title, values in (("ELBO", known.elbo), ("KL(q || posterior)", known.gap)):
        print(f"{title}: " + ", ".join(f"{name} {value:.3f}" for name, value in values.items()))
    reparametrised, score = slopes.reparametrised[1].mean(), slopes.score[1].mean()
    print(
        f"one draw's gradient varies by {reparametrised:.2f} (reparametrised), "
        f"{score:.2f} (score function)"
    )


def draw(known: Bound, tight: Tightening, curve: Trade) -> Figure:
    """Draw posteriors, their bounds, importance-weighted bounds, and rate against distortion."""
    figure = Figure(figsize=(8.4, 6.6), dpi=130, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    (first, second), (third, fourth) = figure.subplots(2, 2)
    _draw_posteriors(first, known)
    _draw_bounds(second, known)
    _draw_tightening(third, tight, known)
    _draw_trade(fourth, curve)
    for axis in (first, second, third, fourth):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


COLOUR = {
    "prior": GREY,
    "displaced": BLUE,
    "too narrow": "#7a9a3a",
    "marginals": "#8a5a9a",
    "factorised": RED,
    "posterior": TEXT_COLOUR,
}


def _draw_posteriors(axis: Axes, known: Bound) -> None:
    angle = torch.linspace(0, 2 * math.pi, 200, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    for name, q in known.q.items():
        for reach in (1, 2):
            style = "--" if name == "posterior" else "-"
            x, y = (q.mean + reach * circle @ q.scale_tril.T).T
            label = name if reach == 2 else None
            axis.plot(x, y, color=COLOUR[name], linestyle=style, linewidth=1.2, label=label)
    axis.set(
        xlabel="$z_1$",
        ylabel="$z_2$",
        title="q(z | x), one and two standard deviations",
        aspect="equal",
    )
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def _draw_bounds(axis: Axes, known: Bound) -> None:
    names = list(known.q)[::-1]
    for i, name in enumerate(names):
        elbo, gap = known.elbo[name], known.gap[name]
        axis.barh(i, gap, left=elbo, color=COLOUR[name], height=0.5, alpha=0.85)
        axis.plot(elbo, i, "o", color=COLOUR[name], markersize=5)
        axis.annotate(
            f"{gap:.2f}", (elbo, i), (-6, 0), textcoords="offset points", ha="right", va="center"
        )
    axis.axvline(known.evidence, color=TEXT_COLOUR, linewidth=1, linestyle="--")
    low = min(known.elbo.values())
    axis.set(
        yticks=range(len(names)),
        yticklabels=names,
        xlabel="nats",
        title="ELBO (dot) + KL (bar) = log p(x)",
    )
    axis.set_xlim(
        low - 0.35 * (known.evidence - low), known.evidence + 0.05 * (known.evidence - low)
    )


def _draw_tightening(axis: Axes, tight: Tightening, known: Bound) -> None:
    for name, values in tight.measured.items():
        axis.plot(tight.k, values, "o-", color=COLOUR[name], markersize=4, label=name)
        if name in ("prior", "marginals"):
            label = "log p(x) - variance / 2k" if name == "marginals" else None
            axis.plot(
                tight.k,
                tight.asymptote[name],
                label=label,
                color=COLOUR[name],
                linewidth=1,
                linestyle=":",
            )
    axis.axhline(known.evidence, color=TEXT_COLOUR, linewidth=1, linestyle="--")
    low = tight.measured["factorised"][0]
    axis.set(
        xscale="log",
        xlabel="samples k",
        ylabel="nats",
        title="The importance-weighted bound rises to log p(x)",
    )
    axis.set_ylim(
        known.evidence - 3 * (known.evidence - low), known.evidence + 0.3 * (known.evidence - low)
    )
    axis.legend(frameon=False, loc="lower right")


def _draw_trade(axis: Axes, curve: Trade) -> None:
    rates, distortions = shannon(torch.logspace(-1.3, 1.2, 200, dtype=torch.float64))
    axis.plot(
        rates, distortions, color=TEXT_COLOUR, linewidth=1, linestyle="--", label="Shannon's curve"
    )
    axis.plot(
        *zip(*curve.beta.values(), strict=True),
        "o",
        color=RED,
        markersize=5,
        label="beta-VAE, with its beta",
    )
    held = tuple(zip(*curve.capacity.values(), strict=True))
    axis.plot(*held, "x", color=BLUE, markersize=7, mew=2, label="capacity form, at C (dotted)")
    for beta, point in curve.beta.items():
        axis.annotate(f"{beta:g}", point, (5, 4), textcoords="offset points", color=RED)
    for capacity, (_, distortion) in curve.capacity.items():
        axis.plot([capacity, capacity], [3.5, distortion], color=BLUE, linewidth=0.8, linestyle=":")
    total = sum(curve.beta[1.0])
    axis.plot(
        [0, total], [total, 0], color=GREY, linewidth=1, label="rate + distortion = -E log p(x)"
    )
    axis.set(xlim=(-0.1, 4.2), ylim=(3.5, 19), xlabel="rate (nats)", ylabel="distortion (nats)")
    axis.set_title("Rate against distortion")
    axis.legend(frameon=False)


def save(figure: Figure, path: Path) -> None:
    """Write a figure in 256 colours, dithered: half the size, no difference to the eye."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    figure.savefig(buffer)
    picture = Image.open(buffer).convert("RGB")
    colours = picture.quantize(256)
    colours.putpalette(
        [255 if level > 247 else level for level in colours.getpalette() or []]
    )  # white stays white
    picture.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def main(arguments: Sequence[str] | None = None) -> Table:
    """Measure, print the table, write the figure; the table is returned, too."""
    parser = argparse.ArgumentParser(
        description="The theory of the evidence lower bound, executed."
    )
    parser.add_argument("--quick", action="store_true", help="fewer draws and steps")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the figure")
    options = parser.parse_args(arguments)
    draws, steps = (2**15, 1000) if options.quick else (2**19, 4000)
    ppca, x = model()
    known = bound(ppca, x)
    slopes = gradients(ppca, x, known.q["factorised"], draws)
    tight = tightening(ppca, x, known, draws)
    curve = trade(ppca, steps)
    table = rows(known, slopes, tight, curve)
    show(table, known, slopes)
    with matplotlib.rc_context(STYLE):
        save(draw(known, tight, curve), options.out / "elbo_theory.png")
    return table


if __name__ == "__main__":
    main()

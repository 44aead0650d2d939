"""The theory of adversarial training, executed on mixtures whose densities are known.

    python examples/gan_theory.py [--quick] [--out FOLDER]

With the generator fixed, the best discriminator is p_data / (p_data + p_g), and the value of the
game there is KL(p_data || m) + KL(p_g || m) - log 4, m the even mixture (Goodfellow et al. 2014).
With both players trained, the value goes to -log 4 and p_g to p_data. Prints what was measured
beside what the theory says, and draws `gan_discriminator.png` and `gan_game.png`.
`docs/theory/adversarial.md` has the derivations.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.models.losses import AdversarialObjective, critic_loss, generator_loss
from unwarp.plots import BLUE, GREY, RED, STYLE, TEXT_COLOUR

NOISE = 8
REACH = 6.0
VERDICT = LinearSegmentedColormap.from_list("verdict", [BLUE, "#f4f5f7", RED])
DENSITY = LinearSegmentedColormap.from_list("density", ["white", BLUE, TEXT_COLOUR])


@dataclass(frozen=True)
class Mixture:
    """A mixture of isotropic Gaussians: weights (K,), means (K, d), standard deviations (K,)."""

    weights: Tensor
    means: Tensor
    sds: Tensor

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` draws, (n, d)."""
        k = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        return self.means[k] + self.sds[k, None] * torch.randn(
            n, self.means.shape[1], generator=generator
        )

    def density(self, x: Tensor) -> Tensor:
        """Density at points (n, d), (n,)."""
        square = (x[:, None] - self.means).square().sum(-1)
        peaks = self.weights / (self.sds * math.sqrt(2 * math.pi)) ** self.means.shape[1]
        return (peaks * torch.exp(-0.5 * square / self.sds**2)).sum(1)


class Lattice:
    """Lattice (n, d) with distance `step` over [-REACH, REACH]^d, for integrals."""

    def __init__(self, dimension: int, step: float) -> None:
        self.side = torch.arange(-REACH, REACH + step / 2, step)
        self.dimension, self.step, self.cell = dimension, step, step**dimension
        self.points = torch.cartesian_prod(*[self.side] * dimension).reshape(-1, dimension)

    def histogram(self, samples: Tensor) -> Tensor:
        """Density of samples (n, d), counted in cells around the points."""
        columns = ((samples + REACH) / self.step).round().long().clamp(0, len(self.side) - 1)
        index = sum(columns[:, -1 - i] * len(self.side) ** i for i in range(columns.shape[1]))
        return torch.bincount(torch.as_tensor(index), minlength=len(self.points)) / (
            len(samples) * self.cell
        )


@dataclass(frozen=True)
class Problem:
    """Known data, a known fixed generator, and the lattice on which integrals are taken."""

    data: Mixture
    fixed: Mixture
    lattice: Lattice


def problem(dimension: int) -> Problem:
    """Two modes on a line, or three in a plane; the fixed generator is one broad Gaussian."""
    if dimension == 1:
        data = Mixture(
            torch.tensor([0.4, 0.6]), torch.tensor([[-1.5], [1.5]]), torch.tensor([0.5, 0.8])
        )
        return Problem(data, _gaussian([0.5], 1.4), Lattice(1, 0.05))
    angles = torch.tensor([90.0, 210.0, 330.0]).deg2rad()
    means = 1.5 * torch.stack([angles.cos(), angles.sin()], 1)
    data = Mixture(torch.tensor([0.3, 0.3, 0.4]), means, torch.full((3,), 0.6))
    return Problem(data, _gaussian([0.4, 0.0], 1.3), Lattice(2, 0.2))


def _gaussian(mean: list[float], sd: float) -> Mixture:
    return Mixture(torch.ones(1), torch.tensor([mean]), torch.tensor([sd]))


def value(logit: Tensor, p: Tensor, g: Tensor, cell: float) -> float:
    """V(D, G) = E_data log D + E_g log(1 - D), in nats; D is the logistic function of the logit."""
    return float(cell * (p * F.logsigmoid(logit) + g * F.logsigmoid(-logit)).double().sum())


def best_value(p: Tensor, g: Tensor, cell: float) -> float:
    """The largest value over all D: KL(p || m) + KL(g || m) - log 4."""
    p, g = p.double(), g.double()
    m = ((p + g) / 2).clamp_min(1e-300)
    return float(cell * (torch.xlogy(p, p / m) + torch.xlogy(g, g / m)).sum()) - math.log(4)


def network(n_in: int, n_out: int, width: int) -> nn.Sequential:
    """A perceptron of two hidden layers, smooth as the densities are."""
    return nn.Sequential(
        nn.Linear(n_in, width),
        nn.SiLU(),
        nn.Linear(width, width),
        nn.SiLU(),
        nn.Linear(width, n_out),
    )


def adam(
    net: nn.Module, lr: float, steps: int
) -> tuple[torch.optim.Adam, torch.optim.lr_scheduler.LRScheduler]:
    """Adam with little momentum, as more makes games oscillate, and a cosine schedule."""
    optimiser = torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.99), fused=True)
    return optimiser, torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)


def shortfall(logit: Tensor, p: Tensor, g: Tensor, cell: float) -> float:
    """2 E_m KL(D* || D), Bernoulli distributions both: by how much D misses the best value."""
    best, p, g = torch.log(p / g).double(), p.double(), g.double()
    gap = p * (F.logsigmoid(best) - F.logsigmoid(logit)) + g * (
        F.logsigmoid(-best) - F.logsigmoid(-logit)
    )
    return float(cell * gap.sum())


class Judged(NamedTuple):
    """Train a discriminator against a fixed generator: D, D* and rows (step, value)."""

    case: Problem
    learned: Tensor
    best: Tensor
    values: list[tuple[int, float]]
    best_value: float
    shortfall: float

    def deviation(self) -> tuple[float, float]:
        """Largest |D - D*| where m holds 99 % of its mass, and the mean under m."""
        points = self.case.lattice.points
        m = self.case.data.density(points) + self.case.fixed.density(points)
        off, order = (self.learned - self.best).abs(), m.argsort(descending=True)
        inside = order[m[order].cumsum(0) < 0.99 * m.sum()]
        return float(off[inside].max()), float((off * m).sum() / m.sum())


def judge(case: Problem, steps: int, batch: int = 512, width: int = 64) -> Judged:
    """Train D with G fixed, on fresh draws at every step."""
    torch.manual_seed(0)
    draws, points, cell = torch.Generator().manual_seed(1), case.lattice.points, case.lattice.cell
    p, g = case.data.density(points), case.fixed.density(points)
    critic, values = network(points.shape[1], 1, width), []
    optimiser, schedule = adam(critic, 1e-2, steps)
    for step in range(1, steps + 1):
        real, fake = case.data.sample(batch, draws), case.fixed.sample(batch, draws)
        loss = critic_loss(critic(real)[:, 0], critic(fake)[:, 0], "minimax").mean()
        descend(loss, optimiser, schedule)
        if step % 50 == 0:
            with torch.no_grad():
                logit = critic(points)[:, 0]
            values.append((step, value(logit, p, g, cell)))
    gap = shortfall(logit, p, g, cell)
    return Judged(case, logit.sigmoid(), p / (p + g), values, best_value(p, g, cell), gap)


class Played(NamedTuple):
    """Train both players: p_g and D on the lattice, and rows (step, value, best value)."""

    case: Problem
    generated: Tensor
    learned: Tensor
    values: list[tuple[int, float, float]]

    def total_variation(self) -> float:
        """Total variation: half the integral of |p_g - p_data|."""
        off = self.generated - self.case.data.density(self.case.lattice.points)
        return float(0.5 * self.case.lattice.cell * off.abs().sum())


def play(case: Problem, steps: int, batch: int, rate: float, width: int = 96) -> Played:
    """Train both players in turn, with a faster discriminator and an averaged generator."""
    torch.manual_seed(0)
    draws, dimension = torch.Generator().manual_seed(1), case.data.means.shape[1]
    critic, generator = network(dimension, 1, width), network(NOISE, dimension, width)
    averaged, values = deepcopy(generator), []
    moves = [adam(critic, 1e-2, steps), adam(generator, rate, steps)]
    for step in range(1, steps + 1):
        real, fake = (
            case.data.sample(batch, draws),
            generator(torch.randn(batch, NOISE, generator=draws)),
        )
        loss = critic_loss(critic(real)[:, 0], critic(fake.detach())[:, 0], "non-saturating").mean()
        descend(loss, *moves[0])
        descend(generator_loss(critic(fake)[:, 0], "non-saturating").mean(), *moves[1])
        follow(averaged, generator, decay=0.99)
        if step % 100 == 0:
            generated, logit = look(case.lattice, averaged, critic)
            p, cell = case.data.density(case.lattice.points), case.lattice.cell
            values.append((step, value(logit, p, generated, cell), best_value(p, generated, cell)))
    return Played(case, generated, logit.sigmoid(), values)


def descend(
    loss: Tensor, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
) -> None:
    """One step down the loss, and one along the schedule."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()


@torch.no_grad()
def follow(averaged: nn.Module, net: nn.Module, decay: float) -> None:
    """Move the averaged weights towards those of `net`."""
    for mean, weight in zip(averaged.parameters(), net.parameters(), strict=True):
        mean.lerp_(weight, 1 - decay)


@torch.no_grad()
def look(
    lattice: Lattice, generator: nn.Module, critic: nn.Module, n: int = 2**16
) -> tuple[Tensor, Tensor]:
    """Density of the generator (a histogram of `n` samples) and the critic's logit."""
    noise = torch.randn(n, NOISE, generator=torch.Generator().manual_seed(2))
    generated = torch.cat([generator(part) for part in noise.split(4096)])
    return lattice.histogram(generated), critic(lattice.points)[:, 0]


class Pull(NamedTuple):
    """Gradients on the offset of a Gaussian generator, (offsets,) each, by generator loss."""

    offsets: Tensor
    measured: dict[str, Tensor]
    theory: dict[str, Tensor]


def pull(offsets: Tensor) -> Pull:
    """Gradient that moves N(offset, 1) to the data N(0, 1), with the best discriminator.

    Minimax climbs down 2 JSD(p_data, p_g), non-saturating down KL(p_g || p_data) - 2 JSD (Arjovsky
    and Bottou 2017).
    """
    x, h = torch.linspace(-20, 20, 4001, dtype=torch.float64), 1e-3

    def normal(offset: float) -> Tensor:
        return torch.exp(-0.5 * (x - offset) ** 2) / math.sqrt(2 * math.pi)

    def slope(offset: float, objective: AdversarialObjective) -> float:
        moved = torch.tensor(offset, requires_grad=True)
        logit = 0.5 * offset**2 - offset * (
            x + moved
        )  # log p_data - log p_g, held while the sample moves
        loss = 0.01 * (normal(0) * generator_loss(logit, objective)).sum()
        return float(torch.autograd.grad(loss, moved)[0])

    def divergence(offset: float) -> float:
        return best_value(normal(0), normal(offset), 0.01)

    objectives: tuple[AdversarialObjective, ...] = ("minimax", "non-saturating")
    measured = {name: [slope(float(o), name) for o in offsets] for name in objectives}
    jensen = torch.tensor(
        [(divergence(float(o) + h) - divergence(float(o) - h)) / (2 * h) for o in offsets]
    )
    theory = {"minimax": jensen, "non-saturating": offsets - jensen}
    return Pull(offsets, {name: torch.tensor(slopes) for name, slopes in measured.items()}, theory)


def rows(
    judged: Sequence[Judged], played: Sequence[Played], pulled: Pull
) -> dict[str, tuple[float, float]]:
    """What was measured and what the theory says, by name."""
    table: dict[str, tuple[float, float]] = {}
    for fixed in judged:
        name, (largest, mean) = f"{fixed.case.lattice.dimension}-D, G fixed", fixed.deviation()
        table[f"{name}: largest |D - D*| (99 % of m)"] = (largest, 0.0)
        table[f"{name}: mean |D - D*|"] = (mean, 0.0)
        table[f"{name}: V(D, G)"] = (fixed.values[-1][1], fixed.best_value)
        table[f"{name}: V(D*, G) - V(D, G)"] = (
            fixed.best_value - fixed.values[-1][1],
            fixed.shortfall,
        )
    for game in played:
        name, (_, reached, best) = f"{game.case.lattice.dimension}-D, both", game.values[-1]
        table[f"{name}: V(D, G)"] = (reached, -math.log(4))
        table[f"{name}: V(D*, G)"] = (best, -math.log(4))
        table[f"{name}: total variation of p_g"] = (game.total_variation(), 0.0)
    for objective, slopes in pulled.measured.items():
        for i in range(0, len(slopes), len(slopes) // 3):
            offset = float(pulled.offsets[i])
            table[f"{objective}: gradient, p_g off by {offset:g}"] = (
                float(slopes[i]),
                float(pulled.theory[objective][i]),
            )
    return table


def show(table: dict[str, tuple[float, float]]) -> None:
    """Print the table."""
    print(f"{'':<46}{'measured':>10}{'theory':>10}")
    for name, (measured, theory) in table.items():
        print(f"{name:<46}{round(measured, 4) + 0.0:>10.4f}{round(theory, 4) + 0.0:>10.4f}")


def blank(width: float, height: float) -> Figure:
    """An empty figure, in inches, with room at its edges."""
    figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    return figure


def draw_judged(line: Judged, plane: Judged) -> Figure:
    """D against p_data / (p_data + p_g): a curve, three maps, and the value on its way."""
    figure = blank(8.4, 5.4)
    grid = figure.add_gridspec(2, 3)
    _draw_line(figure.add_subplot(grid[0, :2]), line)
    _draw_values(figure.add_subplot(grid[0, 2]), line, plane)
    panels = {"D* = p_data / (p_data + p_g)": plane.best, "D, learned": plane.learned}
    axes = [figure.add_subplot(grid[1, i]) for i in range(3)]
    for axis, (title, d) in zip(axes, panels.items(), strict=False):
        image = _draw_map(axis, plane.case.lattice, d, VERDICT, (0, 1), title)
        _draw_contours(axis, plane.case)
    figure.colorbar(image, ax=axes[:2], shrink=0.8, ticks=[0, 0.5, 1])
    off = plane.learned - plane.best
    image = _draw_map(axes[2], plane.case.lattice, off, VERDICT, (-0.1, 0.1), "D - D*")
    figure.colorbar(image, ax=axes[2], shrink=0.8, ticks=[-0.1, 0, 0.1])
    return figure


def _draw_line(axis: Axes, fixed: Judged) -> None:
    x = fixed.case.lattice.points
    for mixture, colour, name in (
        (fixed.case.data, BLUE, "p_data"),
        (fixed.case.fixed, GREY, "p_g"),
    ):
        axis.fill_between(
            x[:, 0], mixture.density(x), color=colour, alpha=0.35, linewidth=0, label=name
        )
    axis.plot(x, fixed.learned, color=RED, linewidth=2, label="D, learned")
    axis.plot(
        x,
        fixed.best,
        color=TEXT_COLOUR,
        linewidth=1,
        linestyle="--",
        label="D* = p_data / (p_data + p_g)",
    )
    axis.set(xlim=(-4.5, 6), ylim=(0, 1.1), xlabel="x", title="Generator fixed: D against D*")
    axis.legend(frameon=False, ncols=2)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_values(axis: Axes, *judged: Judged) -> None:
    for fixed, colour in zip(judged, (RED, BLUE), strict=True):
        axis.plot(
            *zip(*fixed.values, strict=True),
            color=colour,
            label=f"{fixed.case.lattice.dimension}-D",
        )
        axis.axhline(fixed.best_value, color=colour, linewidth=0.8, linestyle="--")
    axis.set(xlabel="step", title="V(D, G) and V(D*, G) (dashed)")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)


def draw_played(line: Played, plane: Played, pulled: Pull) -> Figure:
    """Draw the densities of generator and data, the values during training, and gradients."""
    figure = blank(8.4, 5.4)
    (first, second, third), axes = figure.subplots(2, 3)
    x = line.case.lattice.side
    first.fill_between(
        x, line.generated, step="mid", color=BLUE, alpha=0.35, linewidth=0, label="p_g, histogram"
    )
    first.plot(
        x,
        line.case.data.density(x[:, None]),
        color=TEXT_COLOUR,
        linewidth=1,
        linestyle="--",
        label="p_data",
    )
    first.plot(x, line.learned, color=RED, label="D")
    first.set(xlim=(-4, 5), ylim=(0, 0.8), xlabel="x", title="Both trained")
    first.legend(frameon=False, loc="upper left")
    _draw_course(second, line, plane)
    _draw_pull(third, pulled)
    p, top = plane.case.data.density(plane.case.lattice.points), 0.2
    _draw_map(axes[0], plane.case.lattice, p, DENSITY, (0, top), "p_data")
    image = _draw_map(
        axes[1], plane.case.lattice, plane.generated, DENSITY, (0, top), "p_g, histogram"
    )
    figure.colorbar(image, ax=axes[:2], shrink=0.8, ticks=[0, 0.1, 0.2])
    image = _draw_map(axes[2], plane.case.lattice, plane.learned, VERDICT, (0, 1), "D")
    _draw_contours(axes[2], plane.case, fixed=False)
    figure.colorbar(image, ax=axes[2], shrink=0.8, ticks=[0, 0.5, 1])
    for axis in (first, second, third):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_course(axis: Axes, *played: Played) -> None:
    for game, colour in zip(played, (RED, BLUE), strict=True):
        steps, reached, best = zip(*game.values, strict=True)
        axis.plot(steps, reached, color=colour, label=f"{game.case.lattice.dimension}-D, V(D, G)")
        axis.plot(
            steps,
            best,
            color=colour,
            linestyle=":",
            label=f"{game.case.lattice.dimension}-D, V(D*, G)",
        )
    axis.axhline(-math.log(4), color=TEXT_COLOUR, linewidth=0.8, linestyle="--")
    axis.set(xlabel="step", ylim=(-1.42, -1.08), title="The value goes to -log 4 (dashed)")
    axis.legend(frameon=False)


def _draw_pull(axis: Axes, pulled: Pull) -> None:
    for (name, slopes), colour in zip(pulled.measured.items(), (BLUE, RED), strict=True):
        axis.plot(pulled.offsets, slopes, color=colour, label=name)
        theory = "theory" if name == "non-saturating" else None
        axis.plot(
            pulled.offsets[::5],
            pulled.theory[name][::5],
            "o",
            color=TEXT_COLOUR,
            ms=3.5,
            mfc="none",
            label=theory,
        )
    axis.set(xlabel="offset of p_g from p_data", title="Gradient on the offset, at D*")
    axis.legend(frameon=False)


def _draw_map(
    axis: Axes,
    lattice: Lattice,
    values: Tensor,
    colours: LinearSegmentedColormap,
    limits: tuple[float, float],
    title: str,
) -> AxesImage:
    n, reach = len(lattice.side), REACH + lattice.step / 2
    low, high = limits
    axis.set(xlim=(-4, 4), ylim=(-4, 4), xticks=[-3, 0, 3], yticks=[-3, 0, 3], title=title)
    picture, extent = values.reshape(n, n).T.numpy(), (-reach, reach, -reach, reach)
    smooth = "bilinear" if colours is VERDICT else "nearest"
    return axis.imshow(
        picture, colours, vmin=low, vmax=high, origin="lower", extent=extent, interpolation=smooth
    )


def _draw_contours(axis: Axes, case: Problem, *, fixed: bool = True) -> None:
    side = torch.linspace(-4, 4, 161)
    pairs = [(case.data, TEXT_COLOUR), (case.fixed, GREY)]
    for mixture, colour in pairs if fixed else pairs[:1]:
        height = mixture.density(torch.cartesian_prod(side, side)).reshape(161, 161).T.numpy()
        axis.contour(
            side.numpy(), side.numpy(), height, levels=[0.04, 0.08], colors=colour, linewidths=0.8
        )


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


def main(arguments: Sequence[str] | None = None) -> dict[str, tuple[float, float]]:
    """Measure, print the table, write the figures; the table is returned, too."""
    parser = argparse.ArgumentParser(description="The theory of adversarial training, executed.")
    parser.add_argument("--quick", action="store_true", help="fewer steps and smaller batches")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the figures")
    options = parser.parse_args(arguments)
    steps, turns, batch, rate = (300, 500, 128, 3e-3) if options.quick else (2500, 2000, 512, 1e-3)
    line, plane = problem(1), problem(2)
    judged = [judge(case, steps) for case in (line, plane)]
    played = [play(case, turns, batch, rate) for case in (line, plane)]
    pulled = pull(torch.linspace(0, 6, 31))
    table = rows(judged, played, pulled)
    show(table)
    with matplotlib.rc_context(STYLE):
        save(draw_judged(*judged), options.out / "gan_discriminator.png")
        save(draw_played(played[0], played[1], pulled), options.out / "gan_game.png")
    return table


if __name__ == "__main__":
    main()

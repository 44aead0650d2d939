"""Examples run for a few steps; those of the theory agree with the theory."""

from __future__ import annotations

import importlib.util
import math
import runpy
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

Table = dict[str, tuple[float, float]]
FOLDER = Path(__file__).parent.parent / "examples"
THEORY = ("elbo_theory", "gan_theory")
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.stem not in THEORY)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An example runs for three steps, prints and draws."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(path), "3"])
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
    assert list(tmp_path.glob("*.png"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run(name: str, folder: Path, pictures: set[str]) -> Table:
    torch.set_num_threads(1)
    table: Table = load(name).main(["--quick", "--out", str(folder)])
    assert {path.name for path in folder.iterdir()} == pictures
    return table


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return run(
        "gan_theory", tmp_path_factory.mktemp("gan"), {"gan_discriminator.png", "gan_game.png"}
    )


@pytest.fixture(scope="module")
def elbo(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return run("elbo_theory", tmp_path_factory.mktemp("elbo"), {"elbo_theory.png"})


def test_best_value_of_the_game() -> None:
    """It is -log 4 for equal and 0 for disjoint densities."""
    game = load("gan_theory")
    p, g = torch.tensor([0.25, 0.75, 0.0]), torch.tensor([0.0, 0.0, 1.0])
    assert game.best_value(p, p, 1.0) == pytest.approx(-math.log(4))
    assert game.best_value(p, g, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_density_ratio_is_optimal() -> None:
    """No discriminator reaches a higher value than the ratio of the densities."""
    game = load("gan_theory")
    p, g = torch.rand(50) + 0.01, torch.rand(50) + 0.01
    p, g = p / p.sum(), g / g.sum()
    best = game.best_value(p, g, 1.0)
    assert game.value((p / g).log(), p, g, 1.0) == pytest.approx(best, abs=1e-6)
    for shift in (-0.5, 0.01, 2.0):
        logit = (p / g).log() + shift
        assert game.value(logit, p, g, 1.0) < best
        assert best - game.value(logit, p, g, 1.0) == pytest.approx(
            game.shortfall(logit, p, g, 1.0), abs=1e-6
        )


@pytest.mark.parametrize(("dimension", "mean", "largest"), [(1, 0.03, 0.15), (2, 0.05, 0.3)])
def test_trained_discriminator(gan: Table, dimension: int, mean: float, largest: float) -> None:
    """A trained discriminator approximates the ratio of the densities."""
    name = f"{dimension}-D, G fixed"
    assert gan[f"{name}: mean |D - D*|"][0] < mean
    assert gan[f"{name}: largest |D - D*| (99 % of m)"][0] < largest
    missed, expected = gan[f"{name}: V(D*, G) - V(D, G)"]
    assert 0 < missed < 0.01
    assert missed == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("dimension", "room", "variation"), [(1, 0.1, 0.25), (2, 0.2, 0.35)])
def test_game_converges(gan: Table, dimension: int, room: float, variation: float) -> None:
    """The value converges to -log 4 and the generator to the data."""
    name = f"{dimension}-D, both"
    (reached, floor), (best, _) = gan[f"{name}: V(D, G)"], gan[f"{name}: V(D*, G)"]
    assert reached == pytest.approx(floor, abs=room)
    assert max(reached, floor) - 1e-4 < best < floor + room
    assert gan[f"{name}: total variation of p_g"][0] < variation


def test_generator_gradients(gan: Table) -> None:
    """Gradients of both losses are those of their divergences."""
    slopes = {name: pair for name, pair in gan.items() if "gradient" in name}
    assert len(slopes) == 8
    for measured, theory in slopes.values():
        assert measured == pytest.approx(theory, abs=1e-3)
    assert (
        slopes["minimax: gradient, p_g off by 6"][0]
        < 0.05
        < 5
        < slopes["non-saturating: gradient, p_g off by 6"][0]
    )


def test_elbo_plus_kl_is_evidence(
    elbo: Table,
) -> None:
    """The bound and the divergence from the posterior add up to log p(x)."""
    sums = {name: pair for name, pair in elbo.items() if "ELBO + KL" in name}
    assert len(sums) == 6
    for total, evidence in sums.values():
        assert total == pytest.approx(evidence, abs=1e-9)
    assert elbo["ELBO, q = posterior"][0] == pytest.approx(elbo["ELBO, q = posterior"][1], abs=1e-9)


@pytest.mark.parametrize(
    ("estimator", "error"), [("reparametrised", 0.15), ("score function", 0.8)]
)
def test_gradient_estimators_agree(elbo: Table, estimator: str, error: float) -> None:
    """Both gradient estimators agree with the exact gradient."""
    for i in range(2):
        measured, exact = elbo[f"dELBO / d mean {i}, {estimator}"]
        assert measured == pytest.approx(exact, abs=error)


@pytest.mark.parametrize("q", ["prior", "marginals", "factorised"])
def test_iwae_rises_with_samples(elbo: Table, q: str) -> None:
    """The importance-weighted bound increases with its samples."""
    one, some, many = (elbo[f"IWAE bound, q = {q}, k = {k}"] for k in (1, 64, 1024))
    assert one[0] < some[0] < many[0]
    assert one[0] == pytest.approx(one[1], abs=0.7 if q == "prior" else 0.1)
    assert many[0] == pytest.approx(many[1], abs=0.06)


def test_iwae_of_posterior_is_tight(
    elbo: Table,
) -> None:
    """One sample of the exact posterior makes the bound tight."""
    measured, evidence = elbo["IWAE bound, q = posterior, k = 1"]
    assert measured == pytest.approx(evidence, abs=1e-9)


def test_beta_and_capacity_follow_shannon(elbo: Table) -> None:
    """Rates and distortions are those of the rate-distortion curve."""
    points = {name: pair for name, pair in elbo.items() if name.startswith(("rate", "distortion"))}
    assert len(points) == 20
    for name, (measured, theory) in points.items():
        assert measured == pytest.approx(theory, abs=0.1 if "C =" in name else 0.02), name
        if "distortion, C" in name:
            assert measured > theory - 0.01, name
    assert points["rate, beta = 30"][0] == pytest.approx(0.0, abs=1e-3)


def test_eps_changes_no_weight(elbo: Table) -> None:
    """The constant epsilon of the beta-VAE changes no weight."""
    assert elbo["weights moved by eps = 5"] == (0.0, 0.0)

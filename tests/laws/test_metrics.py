"""Laws of all registered scores: inputs, best value, chance, order of samples.

`PERFECT` are the inputs of a perfect model of perfect codes, `NOISE` those of a random one, `FAIR`
those of one in between. Two classes, and the two values of each of two factors, are equally
frequent; each original is observed twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from inspect import signature
from typing import Any

import numpy as np
import pytest
import torch

from unwarp import metrics
from unwarp.analysis.scoring import evaluate, score
from unwarp.core import Array, Factor
from unwarp.data.dataset import Dataset
from unwarp.metrics import Metric, ScoreInputs, score_function
from unwarp.metrics.inputs import input_names
from unwarp.models import AE, Net
from unwarp.warps import Affine2d, CosineTime, Identity, Map, Warp

N, GENERATED, GAUSSIAN, DRAWS = 400, 300, 280, 7
"""Held-out samples, generated ones, draws of a Gaussian, posterior draws; all different."""

WARP = Affine2d(size=(6, 8))
CATALOGUE = metrics.catalogue()


def maps(seed: int, n: int = N) -> Map:
    """Random affine maps (n)."""
    raw = torch.randn(n, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return WARP.map(WARP.constrain(0.2 * raw))


def pictures(
    generator: np.random.Generator, share: float, columns: tuple[Array, ...]
) -> tuple[Array, Array]:
    """Noise with a share of `columns` in it, as codes (N, 4) and as templates (N, 1, 6, 8)."""
    values = np.stack(columns, 1) * 2.0 - 1
    noise = max(1 - share, 1e-3)  # no class is a single point
    codes = share * np.concatenate([values, values], 1) + noise * generator.normal(size=(N, 4))
    pattern = np.random.default_rng(9).normal(size=(4, 48))
    templates = share * (codes @ pattern) + (1 - share) * generator.normal(size=(N, 48))
    return codes, templates.reshape(N, 1, 6, 8)


def model_inputs(share: float, seed: int) -> ScoreInputs:
    """Inputs of a model: noise for a share of 0, the truth for 1."""
    generator = np.random.default_rng(seed)
    ids = np.tile(np.arange(N // 2), 2)
    labels, other = ids % 2, ids // 2 % 2
    codes, templates = pictures(generator, share, (labels, labels))
    x = generator.normal(size=(N, 1, 6, 8))
    latents = share * np.stack([labels, other], 1) + (1 - share) * generator.normal(size=(N, 2))
    error = 1 - share
    return ScoreInputs(
        x=x,
        x_hat=x + error * generator.normal(size=x.shape),
        series=templates.reshape(N, 2, 24),
        aligned=templates.reshape(N, 2, 24),
        codes=codes,
        templates=templates,
        theta=generator.normal(size=(N, 3)),
        latents=latents,
        cluster_centers=generator.normal(size=(3, 4)),
        labels=labels,
        ids=ids,
        orders={0: 1, 1: 2},
        factors=(Factor("first", "", 0, 1), Factor("second", "", 0, 1)),
        factor_values=np.stack([labels, other], 1),
        size=(6, 8),
        table={Factor("shift_x_px", "px", -1, 1): generator.uniform(-1, 1, N)},
    ) | map_inputs(share)


def map_inputs(share: float) -> ScoreInputs:
    """Estimated maps and probes: exact where the share is 1."""
    true, probe = maps(1), maps(2)
    estimate = true if share == 1 else true.compose(maps(3))
    result = probe.compose(estimate) if share == 1 else probe.compose(estimate).compose(maps(4))
    return ScoreInputs(true_map=true, map=estimate, probe=probe, probed_map=result)


def generated_inputs(seed: int) -> ScoreInputs:
    """Inputs of stochastic encoders and of generated samples."""
    generator = np.random.default_rng(seed)
    return ScoreInputs(
        content_mean=generator.normal(size=(N, 3)),
        content_log_sd=generator.normal(size=(N, 3)),
        log_weights=generator.normal(size=(DRAWS, N)),
        features=generator.normal(size=(N, 5)),
        sample_features=generator.normal(size=(GENERATED, 5)),
        gaussian_features=generator.normal(size=(GAUSSIAN, 5)),
        sample_labels=generator.integers(0, 2, GENERATED),
    )


def everything(share: float) -> ScoreInputs:
    """All inputs, and those of reference data."""
    return replace(model_inputs(share, 0) | generated_inputs(1), reference=model_inputs(share, 2))


PERFECT, FAIR, NOISE = everything(1.0), everything(0.5), everything(0.0)


def numbers(metric: Metric, inputs: ScoreInputs) -> dict[str, float]:
    """Numbers of a score by name."""
    value = metric.function(**{need: inputs.value(need) for need in metrics.needs(metric.function)})
    return dict(value) if isinstance(value, Mapping) else {metric.name: float(value)}


def declaring(field: str) -> list[str]:
    """Names of the scores that declare a property."""
    return [name for name, metric in CATALOGUE.items() if getattr(metric, field) is not None]


@pytest.fixture(params=CATALOGUE)
def metric(request: pytest.FixtureRequest) -> Metric:
    """Each registered score in turn."""
    return CATALOGUE[request.param]


def test_needs_are_fields_of_inputs(metric: Metric) -> None:
    """A score needs at least one input, and only inputs that exist."""
    needs = metrics.needs(metric.function)
    assert needs and set(needs) <= set(input_names())


def test_metric_is_documented(metric: Metric) -> None:
    """A score has a docstring."""
    assert (metric.function.__doc__ or "").strip()


def test_metric_gives_finite_numbers(metric: Metric) -> None:
    """With all inputs a score gives at least one number, and no NaN."""
    result = numbers(metric, FAIR)
    assert result and np.isfinite(list(result.values())).all()


@pytest.mark.parametrize("name", declaring("best"))
def test_best_value_on_perfect_code(name: str) -> None:
    """A perfect model has the declared value."""
    result = numbers(CATALOGUE[name], PERFECT)
    assert result == pytest.approx(dict.fromkeys(result, CATALOGUE[name].best), abs=1e-5)


@pytest.mark.parametrize("name", declaring("best"))
def test_noise_is_worse_than_best(name: str) -> None:
    """A random model misses the best value; it may still use all of its content."""
    result = numbers(CATALOGUE[name], NOISE)
    reached = [
        number
        for number, value in result.items()
        if value == pytest.approx(CATALOGUE[name].best, abs=1e-2)
    ]
    assert reached == (["unused_content"] if name == "unused_content" else [])


@pytest.mark.parametrize("name", declaring("chance"))
def test_chance_on_noise(name: str) -> None:
    """Noise has the declared value, number by number."""
    result, chance = numbers(CATALOGUE[name], NOISE), CATALOGUE[name].chance
    expected = chance if isinstance(chance, Mapping) else dict.fromkeys(result, chance)
    assert result == pytest.approx(dict(expected), abs=0.12)


def test_same_inputs_give_same_value(metric: Metric) -> None:
    """Draws follow from the seed, not from earlier draws."""
    first = numbers(metric, FAIR)
    np.random.default_rng().random(3), torch.rand(3)
    assert numbers(metric, FAIR) == first


def test_order_of_samples_does_not_matter(metric: Metric) -> None:
    """Reordered held-out samples score the same; nearly so after a random split."""
    half = np.random.default_rng(5).permutation(N // 2)
    order = np.concatenate(
        [half, half + N // 2]
    )  # the first observation of each thing stays the first
    is_random = "seed" in signature(metric.function).parameters
    close = {"rel": 0.1, "abs": 0.12} if is_random else {"rel": 1e-4, "abs": 1e-6}
    assert numbers(metric, reordered(FAIR, order)) == pytest.approx(numbers(metric, FAIR), **close)


def reordered(inputs: ScoreInputs, order: Array) -> ScoreInputs:
    """The same held-out samples in another order."""
    return replace(
        inputs, **{f.name: reorder_rows(getattr(inputs, f.name), order) for f in fields(inputs)}
    )


def reorder_rows(value: Any, order: Array) -> Any:
    """Rows of arrays with one for each sample; any other value unchanged."""
    if isinstance(value, Map):
        return value[torch.as_tensor(order)]
    if isinstance(value, dict):
        return {key: reorder_rows(column, order) for key, column in value.items()}
    if isinstance(value, np.ndarray) and value.shape == (DRAWS, N):
        return value[:, order]
    return value[order] if isinstance(value, np.ndarray) and len(value) == N else value


def test_missing_names_absent_inputs(metric: Metric) -> None:
    """An input that is removed is listed, and no other."""
    for need in metrics.needs(metric.function):
        report = score(without(PERFECT, need), (metric.name,))
        assert report.missing == {metric.name: need} and report.scores == {}
    needs = ", ".join(metrics.needs(metric.function))
    assert score(ScoreInputs(), (metric.name,)).missing == {metric.name: needs}


def without(inputs: ScoreInputs, name: str) -> ScoreInputs:
    """The inputs less one."""
    if not name.startswith("train_"):
        changes: dict[str, Any] = {name: None}
        return replace(inputs, **changes)
    assert inputs.reference is not None
    return replace(inputs, reference=without(inputs.reference, name.removeprefix("train_")))


@pytest.fixture
def toy() -> Iterator[str]:
    """A score that this module defines."""

    @score_function
    def share_of_first_class(labels: Array, codes: Array) -> float:
        return float(np.mean(labels == labels.min()))

    yield share_of_first_class.__name__
    metrics.unregister(share_of_first_class.__name__)


def data(*shape: int, labels: bool = True) -> Dataset:
    """20 samples, in two classes."""
    x = torch.rand(20, *shape, generator=torch.Generator().manual_seed(0))
    return Dataset(x, labels=np.arange(20) % 2 if labels else None)


def report_of(warp: Warp, *parts: Dataset, **options: Any) -> Any:
    """Scores of an untrained model."""
    model = AE(warp=warp, n_content=3, net=Net("mlp", (8,), (8,))).build(parts[0].shape, seed=0)
    return evaluate(model, *parts, **options)


def test_toy_metric_is_computed(toy: str) -> None:
    """A score of any module is computed, or listed with its missing inputs."""
    assert report_of(Affine2d(), data(1, 8, 8)).scores[toy] == 0.5
    report = report_of(Affine2d(), data(1, 8, 8, labels=False))
    assert toy not in report.scores and report.missing[toy] == "labels"


def test_toy_metric_leaves_the_registry() -> None:
    """The test above left nothing in the registry."""
    assert set(metrics.scores()) == set(CATALOGUE)


ALIGNMENT = {
    *(
        "aligned_1nn",
        "aligned_centroid",
        "aligned_acc",
        "aligned_nmi",
        "codes_1nn",
        "codes_centroid",
        "variance_left",
    ),
    *("raw_1nn", "raw_centroid"),
}


def test_alignment_of_series_is_scored() -> None:
    """With classes, reference data and cluster centres, `evaluate` scores alignment."""
    part, centers = data(1, 24), np.eye(2, 3)
    assert set(report_of(CosineTime(), part, part, cluster_centers=centers).scores) >= ALIGNMENT
    missing = report_of(CosineTime(), data(1, 24, labels=False)).missing
    assert missing["aligned_separation"] == "train_aligned, train_labels, labels"
    assert missing["variance_left"] == "cluster_centers"
    assert {"aligned", "train_aligned"} <= set(
        report_of(Identity(), part, part).missing["aligned_separation"].split(", ")
    )


def test_alignment_of_pictures_is_not_scored() -> None:
    """Pictures have no aligned series, nor raw ones."""
    part, centers = data(1, 8, 8), np.eye(2, 3)
    report = report_of(Affine2d(), part, part, cluster_centers=centers)
    assert not ALIGNMENT & set(report.scores)
    assert {"aligned_separation", "codes_separation", "series_baselines", "variance_left"} <= set(
        report.missing
    )

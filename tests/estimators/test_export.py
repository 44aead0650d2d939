"""Exported files give what the estimator gives, and say what they take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.exported import fitted, greatest_difference, results
from unwarp.core import Array
from unwarp.errors import ConfigError
from unwarp.estimators.export import export
from unwarp.estimators.export_formats import quiet


def run_program(path: Path, x: Array) -> Array:
    """The output of a program of torch."""
    with quiet():
        module = torch.export.load(path).module()
    with torch.no_grad():
        values: Array = module(torch.from_numpy(x)).numpy()
    return values


def run_onnx(path: Path, x: Array) -> Array:
    """The output of an ONNX model."""
    runtime = pytest.importorskip("onnxruntime")
    (values,) = runtime.InferenceSession(path).run([path.stem], {"samples": x})
    return np.asarray(values)


def check_files(
    folder: Path, manifest: dict[str, Any], expected: dict[str, Array], X: Array
) -> None:
    """Each file gives its results for all samples, and for one alone, as the manifest says."""
    run = run_onnx if manifest["format"] == "onnx" else run_program
    x = X.astype(manifest["input"]["dtype"])
    assert list(x.shape[1:]) == manifest["input"]["shape"][1:]
    for name, record in manifest["functions"].items():
        values = run(folder / record["file"], x)
        assert greatest_difference(values, expected[name]) < 1e-5, name
        assert values.dtype == record["dtype"] and list(values.shape[1:]) == record["shape"][1:]
        alone = run(folder / record["file"], x[:1])
        np.testing.assert_allclose(alone, values[:1], atol=1e-5 * np.ptp(values))


def test_programs_agree_with_estimator(tmp_path: Path) -> None:
    """Lags in torch, with their unit, and the manifest on the disk."""
    unwarper, X = fitted("shift")
    manifest = export(unwarper, tmp_path / "out", "torch", functions=("pose",))
    check_files(tmp_path / "out", manifest, results(unwarper, X), X)
    assert manifest["functions"]["pose"]["columns"][0] == {"name": "lag_samples", "unit": "samples"}
    assert json.loads((tmp_path / "out/manifest.json").read_text()) == manifest
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"pose.pt2", "manifest.json"}


@pytest.mark.slow
@pytest.mark.parametrize("recipe, function", [("gradients", "embed"), ("chain", "pose")])
def test_other_programs_agree(recipe: str, function: str, tmp_path: Path) -> None:
    """Measured codes of pictures, and a smooth warp of time with lags."""
    unwarper, X = fitted(recipe)
    manifest = export(unwarper, tmp_path / "out", "torch", functions=(function,))
    check_files(tmp_path / "out", manifest, results(unwarper, X), X)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["circle", "time"])
def test_onnx_agrees_with_estimator(recipe: str, tmp_path: Path) -> None:
    """All four functions in ONNX Runtime, to 1e-5 of the range of their values."""
    pytest.importorskip("onnxscript")
    unwarper, X = fitted(recipe)
    manifest = export(unwarper, tmp_path / "out")
    check_files(tmp_path / "out", manifest, results(unwarper, X), X)


def test_folders_of_others_are_kept(tmp_path: Path) -> None:
    """A folder with files is refused before any work, and stays as it is."""
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ConfigError, match="it holds files"):
        export(fitted("shift")[0], tmp_path, "torch")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    """The message lists the formats."""
    with pytest.raises(ConfigError, match="onnx, torch"):
        export(fitted("shift")[0], tmp_path / "out", "tflite")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_warps_that_branch_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warp whose maps depend on a test of values has no graph; nothing is written."""
    unwarper, _ = fitted("shift")
    family = type(unwarper.model_.warp)
    whole = family.map

    def map(warp: Any, theta: torch.Tensor) -> Any:
        return whole(warp, -theta if theta.sum() > 0 else theta)

    monkeypatch.setattr(family, "map", map)
    with pytest.raises(ConfigError, match="branches on values or"):
        export(unwarper, tmp_path / "out", "torch", functions=("pose",))
    assert not (tmp_path / "out").exists()

"""Export of trained models: ONNX files, or programs of `torch.export`.

Each function of a model becomes a file of its own that needs no Unwarp: `pose`, `align`, `embed`
and `template`. Scaling and resizing are inside, so that a file takes samples in the user's units
and at the user's size, in batches of any number. `manifest.json` describes inputs and outputs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from sklearn.utils.validation import check_is_fitted
from torch.export import ExportedProgram

from unwarp._version import __version__
from unwarp.errors import ConfigError
from unwarp.estimators.export_formats import (
    check_packages,
    select_onnx,
    select_program,
    to_onnx,
    trace,
)
from unwarp.estimators.export_graph import ExportGraph
from unwarp.estimators.exportable import check_exportable, functions_of
from unwarp.estimators.unwarper import Unwarper
from unwarp.range_kinds import Choice
from unwarp.ranges import check_value
from unwarp.storage.folders import write_tree

ExportFormat = Literal["onnx", "torch"]
SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
"""Suffix of the files of each format."""

MANIFEST_VERSION = 1
"""Version of the layout of `manifest.json`."""


def export(
    unwarper: Unwarper,
    folder: str | Path,
    to: ExportFormat = "onnx",
    *,
    functions: Sequence[str] | None = None,
    refine: Literal["auto", "none"] = "auto",
) -> dict[str, Any]:
    """Write functions of a trained model as files without Unwarp.

    The results are those of `Unwarper.transform_params` (`pose`), `align`, `transform` (`embed`)
    and `template`, as numbers in the user's units: they are not rounded to whole numbers. The files
    check nothing: samples of other units, or with NaN, give numbers without meaning, or NaN.

    Args:
        unwarper: A trained estimator.
        folder: A new or empty folder; `~` is the home folder.
        to: `onnx` for ONNX Runtime and other engines (`pip install 'unwarp[onnx]'`), or `torch` for
            programs of `torch.export`.
        functions: Some of `pose`, `align`, `embed` and `template`; None for all.
        refine: `none` to export learned deformations without their refinement. `auto` refuses a
            model whose deformations are refined.

    Returns:
        The content of `manifest.json`.

    Raises:
        ConfigError: A step of the model cannot be exported, an argument is unknown, a package is
            missing, or the folder holds files or cannot be written. Nothing is written then.

    >>> from tempfile import TemporaryDirectory
    >>> from unwarp import AE
    >>> from unwarp.models import Net
    >>> from unwarp.warps import TimeShift
    >>> X = torch.randn(8, 12, generator=torch.Generator().manual_seed(0)).numpy()
    >>> recipe = AE(warp=TimeShift(), net=Net("mlp", (4,), (4,)), refinements=0)
    >>> unwarper = Unwarper(recipe=recipe, max_steps=1, n_clusters=2, refine="none").fit(X)
    >>> with TemporaryDirectory() as place:
    ...     manifest = export(unwarper, f"{place}/model", to="torch", functions=("pose",))
    >>> manifest["functions"]["pose"]["columns"]
    [{'name': 'lag_samples', 'unit': 'samples'}, ...
    """
    check_is_fitted(unwarper)
    check_value("to", to, Choice(tuple(SUFFIXES)))
    names = functions_of(unwarper, functions)
    check_exportable(unwarper, names, refine)
    check_packages(to)
    write_tree(folder, None)
    graph = ExportGraph(unwarper, names)
    manifest = _manifest(unwarper, graph, to)
    program = _trace(unwarper, graph)
    contents = _contents(program, names, manifest)
    text = json.dumps(manifest, indent=2).encode()
    write_tree(folder, [*contents.items(), ("manifest.json", text)])
    return manifest


def _trace(unwarper: Unwarper, graph: ExportGraph) -> ExportedProgram:
    """The traced graph.

    Raises:
        ConfigError: The warp or a network branches on values.
    """
    example = torch.rand(3, *unwarper.schema_.user_shape, dtype=graph.dtype)
    try:
        return trace(graph, example)
    except torch._dynamo.exc.TorchDynamoException as error:
        raise ConfigError(
            f"warp={unwarper.model_.warp.name!r} of recipe={unwarper.recipe_.family!r} cannot be "
            "exported, because a step branches on values or cannot be traced "
            f"({str(error).splitlines()[0]}); train a model with another warp or recipe"
        ) from error


def _contents(
    program: ExportedProgram, names: Sequence[str], manifest: dict[str, Any]
) -> dict[str, bytes]:
    """Content of the file of each function, by file name."""
    texts = {name: json.dumps(_record_of(name, manifest)) for name in names}
    files = {name: str(manifest["functions"][name]["file"]) for name in names}
    if manifest["format"] == "torch":
        return {files[n]: select_program(program, i, texts[n]) for i, n in enumerate(names)}
    model = to_onnx(program, names)
    return {files[name]: select_onnx(model, i, texts[name]) for i, name in enumerate(names)}


def _record_of(name: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """The part of a manifest that describes one function, as its file keeps it."""
    return {**manifest, "functions": {name: manifest["functions"][name]}}


def _manifest(unwarper: Unwarper, graph: ExportGraph, to: ExportFormat) -> dict[str, Any]:
    """Names, shapes, units and versions of an export."""
    schema, dtype = unwarper.schema_, str(graph.dtype).removeprefix("torch.")
    shape = ["batch", *schema.user_shape]
    columns = [{"name": factor.name, "unit": factor.unit} for factor in graph.columns]
    outputs: dict[str, dict[str, Any]] = {
        "pose": {"shape": ["batch", len(columns)], "dtype": dtype, "columns": columns},
        "align": {"shape": shape, "dtype": dtype},
        "embed": {"shape": ["batch", unwarper.model_.n_content], "dtype": "float32"},
        "template": {"shape": shape, "dtype": dtype},
    }
    left_out = [] if unwarper.refinement_ is None else ["refinement"]
    return {
        "manifest_version": MANIFEST_VERSION,
        "unwarp": __version__,
        "torch": torch.__version__,
        "format": to,
        "domain": schema.domain.name,
        "recipe": unwarper.recipe_.family,
        "warp": unwarper.recipe_.warp.name,
        "left_out": left_out,
        "input": {"name": "samples", "shape": shape, "dtype": dtype},
        "functions": {
            name: {"file": f"{name}{SUFFIXES[to]}", "output": name, **outputs[name]}
            for name in graph.functions
        },
    }

"""The command that exports a model: `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from unwarp.app.cli.messages import print_result, say
from unwarp.app.cli.options import (
    JsonOption,
    ModelArgument,
    QuietOption,
    command,
    model_folder,
)

app = typer.Typer()

ToOption = Annotated[
    Literal["onnx", "torch"],
    typer.Option(help="Format: onnx for ONNX Runtime and other engines, torch for torch.export."),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="New folder to write; by default exported-onnx or -torch."),
]
FunctionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--functions",
        help="Function to export; repeat for more. By default all that the model has.",
        metavar="pose|align|embed|template",
    ),
]
RefineOption = Annotated[
    Literal["auto", "none"],
    typer.Option(
        help="none exports learned deformations without their refinement; auto refuses a model "
        "whose deformations are refined."
    ),
]


@command(app)
def export(
    model: ModelArgument,
    to: ToOption = "onnx",
    out: OutOption = None,
    functions: FunctionOption = None,
    refine: RefineOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a model as files that need no Unwarp.

    There is a file for each function: pose, align, embed and template. They take samples in your
    units and at your size, in batches of any number; manifest.json describes inputs and outputs.

    Args:
        model: Folder of a model or of a run.
        to: Format of the files.
        out: Folder to write; None for `exported-onnx` or `exported-torch`.
        functions: Functions to export; None for all that the model has.
        refine: `none` to leave the refinement of deformations out.
        as_json: Whether to print the manifest as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.estimators.export import export as export_model
    from unwarp.estimators.unwarper import Unwarper

    folder = out or Path(f"exported-{to}")
    unwarper = Unwarper.load(model_folder(model))
    manifest = export_model(unwarper, folder, to, functions=functions, refine=refine)
    if manifest["left_out"] and not quiet:
        say(f"left out: {', '.join(manifest['left_out'])}; results differ from those of align")
    files = ", ".join(str(record["file"]) for record in manifest["functions"].values())
    print_result(manifest, f"wrote {files} and manifest.json to {folder}", as_json, quiet)

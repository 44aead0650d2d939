"""The commands that compare runs and draw their figures: `compare` and `figure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from unwarp.app.cli.messages import print_json, print_result
from unwarp.app.cli.options import JsonOption, QuietOption, command
from unwarp.app.figure_kinds import FigureFormat, FigureKind
from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from unwarp.app.report.section import Table

app = typer.Typer()

RunsArgument = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Two or more folders of finished runs.")
]
PageOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Page to write, FILE.html, with templates.")
]


@command(app)
def compare(
    runs: RunsArgument,
    out: PageOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare finished runs: data, settings that differ, and scores.

    The command says whether the runs have the same data: only then can their scores be compared.

    Args:
        runs: Run folders.
        out: Page to write; None for none.
        as_json: Whether to print the comparison as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app import run_comparison

    if out is not None and out.suffix != ".html":
        raise ConfigError(f"--out {out} has the suffix {out.suffix!r}; give a file FILE.html")
    comparison = run_comparison.compare(runs)
    from unwarp.app.report.comparison_page import (
        comparison_sections,
        data_text,
        score_table,
        setting_table,
    )
    from unwarp.app.report.page import render_page
    from unwarp.storage.files import write_file

    if out is not None:
        page = render_page("comparison", comparison_sections(comparison))
        write_file(out, page, runs)
    if as_json:
        print_json({**comparison.record(), "page": out})
    elif not quiet:
        seeds = ", ".join(f"{name} {run.seed}" for name, run in comparison.runs.items())
        typer.echo(f"{data_text(comparison)}\nseeds: {seeds}")
        for table in (setting_table(comparison), score_table(comparison)):
            _print_table(table)
        typer.echo(f"wrote {out}" if out else "'--out FILE.html' writes a page with templates")


@command(app)
def figure(
    kind: Annotated[FigureKind, typer.Argument(help="Kind of the figure.", metavar="KIND")],
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    file_format: Annotated[
        FigureFormat | None,
        typer.Option("--format", help="Format; by default that of --out, or pdf."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; by default KIND.FORMAT.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw a figure of a run for a paper.

    KIND is templates, latent-map, traversal, chunks, recovery, warps or interpolation. Text in pdf
    and svg stays text. The caption, with data, seed, protocol and version, is printed and stands in
    the metadata of the file.

    Args:
        kind: Kind of the figure.
        run: Run folder.
        file_format: Format; None for that of `out`, or `pdf`.
        out: File to write; None for `KIND.FORMAT`.
        as_json: Whether to print file and caption as JSON.
        quiet: Whether to print nothing.
    """
    file_format = _format_of(out, file_format)
    out = out or Path(f"{kind}.{file_format}")
    from unwarp.app import paper_figures
    from unwarp.storage.files import check_writable, write_file

    check_writable(out, [run])
    drawing, caption = paper_figures.draw(paper_figures.load_run(run), kind)
    write_file(out, paper_figures.encode_figure(drawing, caption, file_format), [run])
    print_result({"file": str(out), "caption": caption}, f"{caption}\nwrote {out}", as_json, quiet)


def _format_of(out: Path | None, file_format: FigureFormat | None) -> FigureFormat:
    """The format of a file: as asked for, or as its suffix says.

    Args:
        out: The file; None if its name does not matter.
        file_format: The format asked for, if any.
    """
    formats: tuple[FigureFormat, ...] = get_args(FigureFormat)
    if out is None:
        return file_format or "pdf"
    for name in formats:
        if out.suffix == f".{name}" and file_format in (None, name):
            return name
    form = file_format or "pdf, .png or .svg"
    raise ConfigError(
        f"--out {out} has the suffix {out.suffix!r}; give a file that ends in .{form}"
    )


def _print_table(table: Table) -> None:
    """Print a table on standard output, unless it has no rows."""
    from rich.console import Console
    from rich.table import Table as RichTable

    if table.rows:
        lines = RichTable(*table.head, box=None, header_style="bold")
        for row in table.rows:
            lines.add_row(*row)
        Console().print(lines)

"""Figures for papers: text as text, captions with seed and protocol, and clear refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from tests.pictures import pictures
from unwarp import Affine2d, MixingAE
from unwarp.app.figure_kinds import FigureKind
from unwarp.app.outcome import Outcome
from unwarp.app.paper_figures import KINDS, draw, encode_figure, load_run
from unwarp.errors import CheckpointError, ConfigError
from unwarp.models import Net


def folder_of(outcome: Outcome) -> Path:
    """The run folder of a short run."""
    return Path(outcome.job.source).parent / "run"


def test_every_kind_has_figures() -> None:
    """The kinds of the command line are those that can be drawn."""
    assert set(KINDS) == set(get_args(FigureKind))


def test_captions_name_seed_and_protocol(series_run: Outcome) -> None:
    """A caption ends with the data, the length of the training, the seed and the version."""
    _, caption = draw(load_run(folder_of(series_run)), "templates")
    assert "27 training samples and 3 held-out samples" in caption
    assert re.search(r"ae with warp time, 4 training steps without labels, seed 0. unwarp", caption)


def test_loading_writes_nothing(image_run: Outcome) -> None:
    """A run that is drawn keeps its files as they are, and has the same codes."""
    folder = folder_of(image_run)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    outcome = load_run(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    codes = outcome.warped.embedding.codes
    assert codes.tolist() == image_run.warped.embedding.codes.tolist()


def test_files_keep_text_and_caption(image_run: Outcome) -> None:
    """Text stays text in vector files, which hold the caption and no date."""
    figure, caption = draw(image_run, "warps")
    svg = encode_figure(figure, caption, "svg").decode()
    assert re.search(r"<text[^>]*>rotation \(deg\)</text>", svg)
    assert caption[:60] in svg and "<dc:date>" not in svg
    pdf = encode_figure(figure, caption, "pdf")
    assert b"/Subtype /Type0" in pdf or b"/Type42" in pdf or b"/CIDFontType2" in pdf
    assert b"/Type3" not in pdf and b"/Subject" in pdf and b"CreationDate" not in pdf
    assert caption[:40].encode() in encode_figure(figure, caption, "png")


def test_missing_figures_say_why(image_run: Outcome, series_run: Outcome) -> None:
    """A run without chunks, known deformations or a warp is told what it takes."""
    for run, kind, mend in (
        (image_run, "chunks", "--set family=mixing-ae"),
        (image_run, "recovery", "known deformations"),
        (series_run, "recovery", "known deformations"),
    ):
        with pytest.raises(ConfigError, match=mend):
            draw(run, kind)  # type: ignore[arg-type]


def test_chunks_have_rows(run_of: Callable[..., Outcome], small_net: Net) -> None:
    """A mixing autoencoder has a row per chunk, one for the deformation, and both ends."""
    recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=small_net)
    run = run_of({"x": pictures(30)[:, 0]}, recipe, batch_size=8)
    figure, _ = draw(run, "chunks")
    names = [axis.get_ylabel() for axis in figure.axes]
    assert names == ["observed", "chunk 1", "chunk 2", "deformation"]


def test_unfinished_runs_are_refused(image_run: Outcome, tmp_path: Path) -> None:
    """A folder with a job but no models names the command that finishes it."""
    (tmp_path / "run.json").write_bytes((folder_of(image_run) / "run.json").read_bytes())
    with pytest.raises(CheckpointError, match="not finished; continue it with 'unwarp resume"):
        load_run(tmp_path)

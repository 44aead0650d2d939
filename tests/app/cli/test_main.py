"""The command line end to end, on small data: files of a run, and mistakes of users."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import ModuleSpec
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.pictures import pictures
from unwarp import AE, Unwarper
from unwarp.app.cli import main, options
from unwarp.app.job import load_job, start_job
from unwarp.app.report import series_figures
from unwarp.app.run import execute
from unwarp.datasets import trace
from unwarp.errors import CheckpointError
from unwarp.models import Net
from unwarp.training.callbacks import Callback
from unwarp.training.state import Row, State
from unwarp.warps import TimeShift


def run(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, in this process."""
    output, errors, code = io.StringIO(), io.StringIO(), 0
    with (
        redirect_stdout(output),
        redirect_stderr(errors),
        patch.object(sys, "argv", ["unwarp", *map(str, words)]),
    ):
        try:
            main.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, output.getvalue(), errors.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small pictures in two classes."""
    root = tmp_path_factory.mktemp("pictures")
    for i, x in enumerate(pictures(40)):
        folder = root / ("plain" if i % 2 else "flipped")
        folder.mkdir(exist_ok=True)
        Image.fromarray(x[0] if i % 2 else x[0][::-1]).save(folder / f"{i:02}.png")
    return root


@pytest.fixture(scope="module")
def run_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    out = tmp_path_factory.mktemp("runs") / "one"
    code, output, errors = run(
        "fit",
        folder,
        "--out",
        out,
        "--steps",
        12,
        "--set",
        "n_content=4",
        "--json",
        "--device",
        "cpu",
        "--precision",
        "bf16",
    )
    assert code == 0, errors
    assert json.loads(output)["scores"]["warped"]["neighbours"] >= 0
    assert re.search(r"40 .*20 x 20", errors)
    return out


def test_last_line_is_advice(folder: Path, tmp_path: Path) -> None:
    """If the warp does not help, the last line says so, and names an option to try first."""
    options = ("--steps", 2, "--device", "cpu", "--out", tmp_path / "run")
    code, output, errors = run("fit", folder, *options)
    assert code == 0, errors
    line = errors.strip().splitlines()[-1]
    assert "of that of the baseline without a warp" in line
    assert line.startswith("Train longer: --steps 4, since") and "--warp identity" in line
    assert output.startswith("report: ") and "baseline" not in output
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<b>Next step.</b> Train longer: --steps 4" in page
    code, output, errors = run("resume", tmp_path / "run", "--json", "--quiet")
    assert (code, errors) == (0, "") and json.loads(output)["advice"].startswith("Train longer")


@pytest.mark.slow
def test_mirror_is_a_field_of_the_warp(folder: Path, tmp_path: Path) -> None:
    """`--set warp.mirror=true` is enough; each picture's mirror is a column of the table."""
    options = ("--warp", "rigid", "--set", "warp.mirror=true", "--set", "net.kind=mlp")
    out = tmp_path / "run"
    code, _, errors = run("fit", folder, *options, "--steps", 2, "--out", out, "--quiet")
    assert code == 0, errors
    table = pd.read_csv(out / "deformations.csv")
    assert table.columns[-1] == "mirror" and set(table["mirror"]) <= {0.0, 1.0}
    figures = np.load(out / "aligned.npz")
    assert figures["deformation_columns"].tolist()[-1] == "mirror"


@pytest.mark.slow
def test_held_out_share_reaches_both_models(folder: Path, tmp_path: Path) -> None:
    """Both trainings measure held-out samples; the report draws them, `metrics.json` has why."""
    out = tmp_path / "run"
    options = ("--steps", 32, "--validation-fraction", 0.25, "--batch-size", 12)
    options = (*options, "--device", "cpu", "--out", out)
    code, _, errors = run("fit", folder, *options, "--quiet")
    assert code == 0, errors
    settings = load_job(out).settings
    assert (settings["validation_fraction"], settings["batch_size"]) == (0.25, 12)
    record = json.loads((out / "metrics.json").read_text())
    for name, key in (("model", "warped"), ("baseline", "baseline")):
        history = json.loads((out / f"{name}.history.json").read_text())
        assert len(history["validation"]) == history["steps"] == record[key]["steps"]
        assert all("stopped" in line or "kept" in line for line in record[key]["length"][1:])
    assert "held out of the training" in (out / "report.html").read_text()
    code, _, errors = run("fit", folder, "--validation-fraction", 0.01, "--out", tmp_path / "b")
    assert code == 2 and "--validation-fraction 0.01 holds out 0 of 36 samples" in errors


def test_run_writes_all_files(run_folder: Path) -> None:
    """Tables, scores, both models, figures and the report; no partial file or checkpoint."""
    names = {path.name for path in run_folder.iterdir()}
    tables = {
        "aligned.npz",
        "deformations.csv",
        "embedding.csv",
        "metrics.json",
        "run.json",
        "report.html",
    }
    assert (
        tables | {"model", "baseline", "gallery.png", "latent_space.png", "training.png"} <= names
    )
    assert {
        "traversal.png",
        "deformation.png",
        "interpolation.png",
        "moving.gif",
        "mixture.png",
    } <= names
    assert not [name for name in names if "partial" in name or "checkpoint" in name]
    table = pd.read_csv(run_folder / "deformations.csv")
    assert len(table) == 40
    assert {"sample", "label", "rotation_deg", "shift_x_px"} <= set(table)
    assert np.load(run_folder / "aligned.npz")["aligned"].shape == (40, 1, 20, 20)
    record = json.loads((run_folder / "metrics.json").read_text())
    assert record["warped"]["recipe"]["n_content"] == 4
    assert record["warped"]["missing"]["recovery"] == "true_map"
    model = Unwarper.load(run_folder / "model")
    assert (model.model_.n_content, model.precision) == (4, "bf16")


def test_report_is_one_page(run_folder: Path) -> None:
    """All pictures are part of the page, nothing is loaded from elsewhere, no number is missing."""
    page = (run_folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") >= 8
    assert page.count("data:image/gif;base64,") == 1
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "Did it work on this data?" in page
    assert "Looking inside" in page
    assert "nan" not in re.sub(r"base64,[^\"]*", "", page)


def test_commands_use_the_saved_model(run_folder: Path, folder: Path, tmp_path: Path) -> None:
    """`align`, `embed`, `evaluate` and `info` give the numbers of the run."""
    assert run("align", run_folder, folder, "--out", tmp_path / "a.npz")[0] == 0
    np.testing.assert_array_equal(
        np.load(tmp_path / "a.npz")["aligned"], np.load(run_folder / "aligned.npz")["aligned"]
    )
    code, output, _ = run("embed", run_folder, folder, "--out", tmp_path / "e.csv", "--json")
    assert code == 0 and json.loads(output)["samples"] == 40
    assert {"content_3", "cluster", "rotation_deg"} <= set(pd.read_csv(tmp_path / "e.csv"))
    assert run("embed", run_folder, folder, "--modes", "--out", tmp_path / "m.csv")[0] == 0
    modes = pd.read_csv(tmp_path / "m.csv")
    assert np.allclose(modes.groupby("sample")["weight"].sum(), 1) and len(modes) >= 40
    code, output, _ = run("evaluate", run_folder, folder, "--json")
    assert code == 0
    assert "neighbours" in json.loads(output)["missing"]
    code, output, _ = run("info", run_folder, "--json")
    assert json.loads(output)["content"] == 4


def test_sample_writes_pictures_and_arrays(run_folder: Path, tmp_path: Path) -> None:
    """The samples are those of the estimator with the same seed; `--quiet` prints nothing."""
    code, output, errors = run(
        "sample",
        run_folder,
        "-n",
        9,
        "--from",
        "mixture",
        "-o",
        tmp_path / "s.npz",
        "--seed",
        3,
        "--json",
    )
    assert code == 0, errors
    assert json.loads(output) == {
        "samples": 9,
        "from": "mixture",
        "seed": 3,
        "file": str(tmp_path / "s.npz"),
    }
    x = np.load(tmp_path / "s.npz")["x"]
    np.testing.assert_array_equal(
        x, Unwarper.load(run_folder / "model").sample(9, source="mixture", random_state=3)
    )
    assert run("sample", run_folder, "-o", tmp_path / "s.png", "--quiet") == (0, "", "")
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.format == "PNG"


def test_interpolate_joins_reconstructions(run_folder: Path, folder: Path, tmp_path: Path) -> None:
    """The ends of the path are the reconstructions by learned poses; a GIF has frames."""
    out = tmp_path / "i.npz"
    code, output, errors = run(
        "interpolate", run_folder, folder, 3, 8, "--path", "spherical", "-n", 5, "-o", out, "--json"
    )
    assert code == 0, errors
    assert json.loads(output)["samples"] == [3, 8]
    arrays, model = np.load(out), Unwarper.load(run_folder / "model")
    model.refinement_ = None
    expected = model.reconstruct(folder)[[3, 8]]
    assert arrays["x_hat"].shape == (5, 1, 20, 20)
    np.testing.assert_allclose(arrays["x_hat"][[0, -1]], expected.reshape(2, 1, 20, 20), atol=1.0)
    assert list(arrays["theta_columns"]) == [f.name for f in model.model_.chart.factors]
    assert run("interpolate", run_folder, folder, 3, 8, "-n", 4, "-o", tmp_path / "i.gif")[0] == 0
    with Image.open(tmp_path / "i.gif") as animation:
        assert animation.format == "GIF"
        assert animation.n_frames > 1  # type: ignore[attr-defined]


def test_traverse_has_a_row_per_number(run_folder: Path, folder: Path, tmp_path: Path) -> None:
    """Content dimensions are sorted by their measure; `--of deformation` has human columns."""
    code, output, _ = run(
        "traverse", run_folder, folder, "--index", 2, "-n", 3, "-o", tmp_path / "t.npz", "--json"
    )
    assert code == 0 and len(json.loads(output)["rows"]) == 4
    arrays = np.load(tmp_path / "t.npz")
    assert arrays["x"].shape == (4, 3, 1, 20, 20)
    assert list(arrays["figures"]) == sorted(arrays["figures"], reverse=True)
    code, output, _ = run(
        "traverse", run_folder, folder, "--of", "deformation", "-o", tmp_path / "d.png", "--json"
    )
    assert code == 0 and json.loads(output)["rows"][0] == "rotation (deg)"
    assert (
        run(
            "traverse", run_folder, folder, "--of", "deformation", "-n", 3, "-o", tmp_path / "d.gif"
        )[0]
        == 0
    )


def test_arithmetic_adds_mean_codes(run_folder: Path, folder: Path, tmp_path: Path) -> None:
    """The written codes are the samples' own plus the difference of both means."""
    line = ("arithmetic", run_folder, folder, "--plus", "1,2,3", "--minus", "4,5", "--to", "6,7")
    assert run(*line, "-o", tmp_path / "a.png")[0] == 0
    assert run(*line, "-o", tmp_path / "a.npz")[0] == 0
    codes = Unwarper.load(run_folder / "model").transform(folder)
    expected = codes[[6, 7]] + codes[[1, 2, 3]].mean(0) - codes[[4, 5]].mean(0)
    np.testing.assert_allclose(np.load(tmp_path / "a.npz")["content"], expected, atol=1e-3)


class Stop(Callback):
    """An interrupt at a step of the second training."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_step(self, state: State, terms: Row) -> None:
        if self.name == "baseline" and state.step == 5:
            raise KeyboardInterrupt


def test_resume_continues_a_stopped_run(run_folder: Path, folder: Path, tmp_path: Path) -> None:
    """The finished model is kept, and the result is that of a run without interruption."""
    job = load_job(run_folder)
    start_job(job, tmp_path / "copy")
    with pytest.raises(KeyboardInterrupt):
        execute(tmp_path / "copy", lambda message: None, lambda name: (Stop(name),))
    weights = (tmp_path / "copy" / "model" / "model.safetensors").read_bytes()
    code, _, errors = run("resume", tmp_path / "copy", "--quiet")
    assert code == 0, errors
    assert (tmp_path / "copy" / "model" / "model.safetensors").read_bytes() == weights
    assert pd.read_csv(tmp_path / "copy" / "embedding.csv").equals(
        pd.read_csv(run_folder / "embedding.csv")
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("fit",), "Missing argument.*see '.* fit --help'"),
        (("fitt", "{folder}"), "No such command 'fitt'.*--help'"),
        (("fit", "{folder}", "--stepps", "3"), "No such option: --stepps.*see '.* fit --help'"),
        (
            ("fit", "{folder}", "--steps", "0"),
            "--steps.*greater than or equal to 1|--steps.*not in the range",
        ),
        (("fit", "{folder}", "--seed", "-1"), "--seed.* greater than or equal to 0"),
        (("demo", "--seed", str(2**32)), "--seed.* less than or equal to 4294967295"),
        (("sample", "{run_folder}", "--seed", "-1"), "--seed.* greater than or equal to 0"),
        (("fit", "{folder}", "--seconds", "nan"), "--seconds nan is not allowed; give"),
        (("fit", "{folder}", "--seconds", "-1"), "--seconds -1.0 is not allowed; give"),
        (("fit", "{series}", "--sampling-rate", "inf"), "--sampling-rate inf is not allowed"),
        (("fit", "{folder}", "--set", "n_content=1000000000"), "at most 65,536"),
        (("fit", "{folder}", "--set", "optimiser.lr=.nan"), "optimiser|finite"),
        (("fit", "{folder}", "--precision", "32"), "--precision.*'no', 'fp16', 'bf16'"),
        (("fit", "{folder}", "--config", "{out}/none.yaml"), "--config.*does not exist"),
        (("fit", "no-such-place"), "no-such-place"),
        (("fit", "{folder}", "--warp", "afine", "--out", "{out}"), "choose one of affine"),
        (
            ("fit", "{folder}", "--set", "n_contents=3", "--out", "{out}"),
            "has no field 'n_contents'",
        ),
        (("fit", "{folder}", "--set", "n_content=many", "--out", "{out}"), "n_content"),
        (("fit", "{folder}", "--set", "nothing", "--out", "{out}"), "key=value"),
        (
            ("fit", "{folder}", "--set", "family=gpt", "--out", "{out}"),
            "'gpt' is unknown; choose one of ae",
        ),
        (
            ("fit", "{folder}", "--set", "n_content=0", "--out", "{out}"),
            "n_content must be a whole number from 1",
        ),
        (
            ("fit", "{folder}", "--set", "family=beta-vae", "--set", "beta=-1"),
            "beta must be 0 or more",
        ),
        (
            ("fit", "{folder}", "--set", "likelihood=poisson", "--out", "{out}"),
            "likelihood=.*, bernoulli",
        ),
        (
            ("fit", "{series}", "--set", "likelihood=bernoulli", "--steps", "1", "--out", "{out}"),
            r"values in \[0, 1\]",
        ),
        (("fit", "{one}", "--out", "{out}"), "holds 1 sample.s.; a run needs at least 10"),
        (("fit", "{folder}", "--out", "{one}/deep"), "cannot write .*--out"),
        (
            ("embed", "{run_folder}", "{folder}", "--out", "{folder}"),
            "cannot write .*, which is read; .*--out",
        ),
        (("align", "{run_folder}", "{folder}", "--out", "{one}/a.npz"), "cannot write .*--out"),
        (("sample", "{run_folder}", "--out", "{one}/s.png"), "cannot write .*--out"),
        (
            ("embed", "{run_folder}", "{series}", "--out", "{out}.csv"),
            "was trained on|image|series",
        ),
        (("fit", "{run_folder}", "--out", "{out}"), "differ in size"),
        (("fit", "{folder}", "--out", "{run_folder}"), "other settings"),
        (("align", "{folder}", "{folder}"), "is not a model folder"),
        (("resume", "{folder}"), "is not a run folder"),
        (("info", "{folder}"), "is not a model folder"),
        (
            ("interpolate", "{run_folder}", "{folder}", "3", "40", "-o", "{out}.png"),
            "40: no such sample.*0 to 39",
        ),
        (
            ("interpolate", "{run_folder}", "{folder}", "3", "4", "-o", "{out}.jpg"),
            "ends in .png, .gif or .npz",
        ),
        (
            ("traverse", "{run_folder}", "{folder}", "--index", "99", "-o", "{out}.png"),
            "--index 99: no such sample",
        ),
        (
            ("traverse", "{run_folder}", "{folder}", "--span", "-1", "-o", "{out}.png"),
            "--span -1.0 is not allowed",
        ),
        (
            ("traverse", "{run_folder}/baseline", "{folder}", "--of", "deformation"),
            "'identity' has no column",
        ),
        (
            (
                "arithmetic",
                "{run_folder}",
                "{folder}",
                "--plus",
                "1,x",
                "--minus",
                "2",
                "--to",
                "3",
            ),
            "--plus '1,x'",
        ),
        (
            ("arithmetic", "{run_folder}", "{folder}", "--plus", "1", "--minus", "77", "--to", "3"),
            "--minus 77: no such",
        ),
        (("sample", "{run_folder}", "--from", "prior", "-o", "{out}.png"), "no prior"),
        (("sample", "{run_folder}", "-o", "{out}.gif"), "ends in .png or .npz"),
        (("align", "{run_folder}", "{one}", "-o", "{one}"), "one.npy: it is read as a part of"),
        (
            ("traverse", "{run_folder}", "{folder}", "-o", "{folder}/plain/01.png"),
            "01.png: it is read as a part of",
        ),
    ],
)
def test_mistakes_are_one_line(
    line: tuple[str, ...], expected: str, run_folder: Path, folder: Path, tmp_path: Path
) -> None:
    """Exit code 2, one line on standard error that says what to do, nothing on standard output."""
    paths = {"folder": folder, "run_folder": run_folder, "out": tmp_path / "out"}
    paths |= {"one": tmp_path / "one.npy", "series": tmp_path / "series.npy"}
    np.save(paths["one"], pictures(1))
    np.save(paths["series"], np.random.default_rng(0).normal(size=(12, 40)))
    code, output, errors = run(
        *(word.format(**paths) for word in line), *(["--quiet"] if line[0] == "fit" else [])
    )
    assert code == 2
    assert re.fullmatch(r"unwarp: .+\n", errors), errors
    assert re.search(expected, errors), errors
    assert output == ""


@pytest.fixture
def tslearn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with short steps, up or down, in the place of Trace; no barycenters."""
    spec = ModuleSpec("tslearn", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(trace, "find_spec", lambda name: spec)
    monkeypatch.setattr(series_figures, "find_spec", lambda name: None)
    (tmp_path / ".cached_datasets").mkdir()
    labels, onsets = np.arange(100) % 4 + 1, np.random.default_rng(0).integers(80, 200, 100)
    x = np.where(np.arange(275) < onsets[:, None], 0.0, 1.0 - 2 * (labels[:, None] % 2))[..., None]
    parts = {
        f"{part}_{name}": value
        for name in ("train", "test")
        for part, value in (("X", x), ("y", labels))
    }
    np.savez(tmp_path / ".cached_datasets" / "Trace.npz", **parts)
    return tmp_path


@pytest.mark.slow
def test_series_demo_writes_its_report(tslearn: Path) -> None:
    """Scores, figures and the preset of Trace, with one field set by the user."""
    out = tslearn / "run"
    code, output, errors = run(
        "demo", "--series", "--steps", 3, "--out", out, "--set", "views=0.25", "--json", "--quiet"
    )
    assert code == 0, errors
    assert {"codes_1nn", "aligned_centroid", "variance_left"} <= set(
        json.loads(output)["scores"]["warped"]
    )
    assert {"alignment.png", "warps.png", "latent_space.png", "report.html"} <= {
        path.name for path in out.iterdir()
    }
    record = json.loads((out / "metrics.json").read_text())
    assert (record["warped"]["recipe"]["bands"], record["warped"]["recipe"]["views"]) == (1.0, 0.25)
    assert {"raw_1nn", "raw_centroid"} <= set(record["baselines"])
    assert len(Unwarper.load(out / "model").cluster_centers_) == 4


def test_series_demo_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tslearn the message says how to install it."""
    monkeypatch.setattr(trace, "find_spec", lambda name: None)
    code, output, errors = run("demo", "--series", "--out", tmp_path / "run", "--quiet")
    assert (code, output) == (2, "")
    assert re.fullmatch(r"unwarp: Trace .*pip install 'unwarp\[.*\]'\n", errors)


def test_help_and_version_answer() -> None:
    """`--help`, `--version`, `info`, and no arguments at all, which show the help."""
    answer = subprocess.run(
        [sys.executable, "-m", "unwarp", "--help"], capture_output=True, text=True, check=True
    )
    assert "resume" in answer.stdout
    assert run("--version")[1].startswith("unwarp ")
    assert "affine" in run("info")[1]
    assert run("info", "--quiet") == (0, "", "")
    code, output, _ = run()
    assert (code, "resume" in output) == (0, True)


def test_newer_model_format_is_refused(run_folder: Path, tmp_path: Path) -> None:
    """A model of a later version of Unwarp is named by its format."""
    shutil.copytree(run_folder / "model", tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    (tmp_path / "model" / "config.json").write_text(json.dumps(config | {"format_version": 99}))
    with pytest.raises(CheckpointError, match="format version 99"):
        Unwarper.load(tmp_path / "model")
    assert options.model_folder(run_folder) == run_folder / "model"


def test_irregular_series_run_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Series with gaps and of unequal lengths are learned from, aligned and embedded."""
    monkeypatch.setattr("unwarp.training.distilling.STEPS", 5)
    monkeypatch.setattr("unwarp.training.distilling.N_MIXTURES", 20)
    rng, lines = np.random.default_rng(0), []
    for i in range(24):
        row = np.sin(np.linspace(0, 6, 30 + i % 5) + rng.uniform(0, 1)).round(3).astype(str)
        row[10 + i % 7] = "?"
        lines.append(f"{','.join(row)}:{i % 2}")
    path, out = tmp_path / "waves.ts", tmp_path / "run"
    path.write_text("@univariate true\n@classLabel true 0 1\n@data\n" + "\n".join(lines) + "\n")
    code, _, errors = run("fit", path, "--out", out, "--steps", 4, "--sampling-rate", 10, "--quiet")
    assert code == 2 and "--missing mask" in errors
    code, _, errors = run(
        "fit",
        path,
        "--out",
        out,
        "--steps",
        4,
        "--sampling-rate",
        10,
        "--missing",
        "mask",
        "--scale",
        "channel",
        "--fast",
        "--labels",
        "choose",
    )
    assert code == 0, errors
    assert "too few series" in errors and "labels chose" in errors
    assert "fast codes: codes of" in errors
    assert "A mode that uses labels" in (out / "report.html").read_text()
    assert load_job(out).settings["labels"] == "choose"
    assert "How much to warp was decided without labels" in (out / "report.html").read_text()
    model = Unwarper.load(out / "model")
    assert model.get_params()["scale"] == "channel" and np.shape(model.schema_.scaler.factor) == (
        1,
        1,
        1,
    )
    assert (
        model.schema_.clock.any_length
        and model.schema_.clock.sampling_rate == 10
        and model.recipe_.gaps
    )
    code, _, errors = run("align", out, path, "--out", tmp_path / "aligned.npz")
    assert code == 0, errors
    with np.load(tmp_path / "aligned.npz", allow_pickle=False) as arrays:
        assert arrays["aligned"].shape == arrays["template"].shape == (24, 1, 34)
        assert (
            0 < np.isnan(arrays["aligned"]).mean() < 0.5 and np.isfinite(arrays["template"]).all()
        )
    code, _, errors = run("embed", out, path, "--out", tmp_path / "codes.csv")
    assert code == 0 and np.isfinite(
        pd.read_csv(tmp_path / "codes.csv").select_dtypes("number")
    ).all(axis=None)


@pytest.mark.slow
def test_models_are_exported(tmp_path: Path) -> None:
    """Files and manifest in a new folder; unknown functions and used folders are mistakes."""
    recipe = AE(warp=TimeShift(), net=Net("mlp", (4,), (4,)), refinements=0)
    X = np.random.default_rng(0).normal(size=(8, 12))
    model, out = tmp_path / "model", tmp_path / "out"
    Unwarper(recipe=recipe, max_steps=1, n_clusters=2, refine="none").fit(X).save(model)
    words = ("export", model, "--to", "torch", "--functions", "pose", "--out", out)
    code, output, errors = run(*words, "--json")
    assert code == 0, errors
    assert json.loads(output) == json.loads((out / "manifest.json").read_text())
    assert (out / "pose.pt2").is_file()
    code, _, errors = run(*words)
    assert code == 2 and "it holds files" in errors
    code, _, errors = run("export", model, "--functions", "poses")
    assert code == 2 and "--functions poses is not allowed" in errors

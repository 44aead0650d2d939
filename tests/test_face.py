"""Public names come from the modules that define them, and are typed for users."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from importlib import import_module
from pathlib import Path

import pytest

import unwarp

FOLDER = Path(unwarp.__file__).parent
SCRIPT = """
import numpy as np
import unwarp
from unwarp import VAE, Affine2d, Report, Unwarper, UnwarpError

recipe: unwarp.Recipe = VAE(warp=Affine2d(), n_content=4)
unwarper = Unwarper(recipe=recipe, domain="image").fit(np.zeros((12, 8, 8)))
model: unwarp.Model = unwarper.model_
unwarp.train(model, recipe.players(model), unwarp.Dataset(model.sample(3)), steps=1)
unwarp.nothing
"""


@pytest.mark.parametrize("name", dir(unwarp))
def test_names_have_their_module(name: str) -> None:
    """A public name is the object of the module in the stub, and that module defines it."""
    value = getattr(unwarp, name)
    if name != "__version__":
        module = unwarp._modules()[name]  # type: ignore[attr-defined]
        assert value is getattr(import_module(module), name)
        assert value.__module__ == module


def test_star_imports_public_names() -> None:
    """`from unwarp import *` imports the names that `dir(unwarp)` lists."""
    names: dict[str, object] = {}
    exec("from unwarp import *", names)
    assert names.keys() - {"__builtins__"} == set(dir(unwarp))
    assert {"Unwarper", "VAE", "Affine2d", "train", "evaluate", "Callback"} <= names.keys()


def test_unknown_names_are_refused() -> None:
    """An unknown name gives the same error as in any module."""
    with pytest.raises(AttributeError, match=r"^module 'unwarp' has no attribute 'nothing'$"):
        unwarp.nothing  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="nothing"):
        from unwarp import nothing  # type: ignore[attr-defined]  # noqa: F401


def test_import_is_light() -> None:
    """`import unwarp` and its list of names import neither torch nor NumPy."""
    code = "import sys, unwarp; dir(unwarp); print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def test_package_is_marked_as_typed() -> None:
    """The package has the marker of PEP 561 and the stub."""
    assert (FOLDER / "py.typed").is_file() and (FOLDER / "__init__.pyi").is_file()


@pytest.mark.slow
def test_user_scripts_are_typed(tmp_path: Path) -> None:
    """mypy --strict reports the one wrong name of a script, and nothing else."""
    venv.create(tmp_path / "env")
    packages = next((tmp_path / "env").rglob("site-packages"))
    (packages / "paths.pth").write_text(f"{FOLDER.parent}\n{sysconfig.get_path('purelib')}\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "cache"]
    command += ["--python-executable", "env/bin/python", "script.py"]
    check = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=False)
    errors = [line for line in check.stdout.splitlines() if ": error:" in line]
    line = SCRIPT.splitlines().index("unwarp.nothing") + 1
    assert [error.partition(" ")[0] for error in errors] == [f"script.py:{line}:"], check.stdout
    assert "attr-defined" in errors[0]

"""The lowest declared versions are those that are tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = re.findall(r"\w+", PROJECT["optional-dependencies"]["all"][0].removeprefix("unwarp"))


def check_held(file: str, declared: list[str]) -> None:
    """A file of constraints holds packages, and torch, at the declared lowest versions."""
    lines = (ROOT / file).read_text().splitlines()
    held = dict(line.split("==") for line in lines if "==" in line)
    lowest = dict(re.sub(r"\[.*\]", "", text).split(">=") for text in declared)
    assert held.pop("torch")  # one known build, as in constraints.txt
    lowest.pop("torch", None)
    assert held.keys() == lowest.keys()
    for name, version in held.items():
        assert version == lowest[name] or version.startswith(f"{lowest[name]}."), name


def test_lowest_versions_are_held() -> None:
    """Those of the package and its demonstration."""
    demo = PROJECT["optional-dependencies"]["demo"]
    check_held("constraints-lowest.txt", [*PROJECT["dependencies"], *demo])


def test_lowest_extras_are_held() -> None:
    """Those of all extras that users may install."""
    names = [name for name in EXTRAS if name != "demo"]
    declared = [text for name in names for text in PROJECT["optional-dependencies"][name]]
    check_held("constraints-lowest-extras.txt", declared)

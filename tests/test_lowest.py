"""The lowest declared versions are those that are tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_lowest_versions_are_held() -> None:
    """Each dependency is held at the version that the package declares as its lowest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    held = dict(line.split("==") for line in lines if "==" in line)
    declared = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    lowest = dict(re.split(">=", text) for text in declared)
    assert held.keys() == lowest.keys()
    del held["torch"]  # one known build, as in constraints.txt
    for name, version in held.items():
        assert version == lowest[name] or version.startswith(f"{lowest[name]}."), name

"""Names are nouns and verbs of the field: vague ones are counted, and the ceiling only falls."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import unwarp

VAGUE = frozenset(
    [
        "found",
        "given",
        "came",
        "taken",
        "told",
        "made",
        "seen",
        "shown",
        "known",
        "held",
        "asked",
        "moved",
        "drawn",
        "kept",
        "wanted",
        "stood",
        "said",
        "own",
        "mine",
        "each",
        "some",
        "every",
        "others",
        "likely",
        "judged",
        "chosen",
        "begun",
        "done",
        "again",
        "both",
        "fine",
        "good",
        "wrong",
        "alike",
        "apart",
        "around",
        "beyond",
        "still",
    ]
)
CEILING = 224
"""Vague names in the package. Lower it whenever fewer are left."""


def defined_names(tree: ast.AST) -> Iterator[str]:
    """Every name that a file defines: variables, arguments, functions, classes and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def vague_names(tree: ast.AST) -> Counter[str]:
    """How often a file defines each vague name, underscores and digits at its ends apart."""
    plain = (name.strip("_0123456789").lower() for name in defined_names(tree))
    return Counter(name for name in plain if name in VAGUE)


def test_vague_names_only_fall() -> None:
    """Participles and pronouns alone say nothing of what they name."""
    files = sorted(Path(unwarp.__file__).parent.rglob("*.py"))
    counts = sum((vague_names(ast.parse(path.read_text())) for path in files), Counter[str]())
    assert counts.total() <= CEILING, counts.most_common(12)


def test_vague_names_are_seen() -> None:
    """The measure itself, on each way to define a name."""
    source = "found = 1\ndef taken(known, x): self.given_ = x\nclass Kept: pass\nfounded, x.seen = found, x.told"
    assert set(vague_names(ast.parse(source))) == {
        "found",
        "taken",
        "known",
        "given",
        "kept",
        "seen",
    }

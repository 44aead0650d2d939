"""The language of the code in numbers: vague names, long lines, docstrings, test names.

    python -m benchmarks.words                 the table
    python -m benchmarks.words --list          also every place that breaks a rule
    python -m benchmarks.words --tree FOLDER   the same of another checkout

Public is what has no underscore before its name, in a class and a file likewise. A docstring is due
for every public module, class and function, methods that override another included; a property has
no arguments and `self` is none.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

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
"""Participles and pronouns that, alone, do not say what they name."""

RIDDLES = re.compile(
    r"\b(what(ever)?|where|of which|in which|whose|found|stands?|standing|stood|lies|lying|lain)\b",
    re.IGNORECASE,
)
"""Words of sentences that have to be read twice."""

MAX_COLUMNS = 100
MAX_FIRST_LINE_WORDS = 12
Definition = ast.FunctionDef | ast.ClassDef | ast.Module


@dataclass(frozen=True)
class Docstring:
    """A public definition with its docstring.

    Attributes:
        place: File, line and name.
        text: The docstring, empty where there is none.
        arguments: Number of arguments of a function, `self` and `cls` left out.
    """

    place: str
    text: str
    arguments: int = 0


def defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each variable, argument, function, class and attribute of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def vague_names(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and name of each vague name, underscores and digits at its ends left out."""
    plain = ((line, name.strip("_0123456789").lower()) for line, name in defined_names(tree))
    return [(line, name) for line, name in plain if name in VAGUE]


def docstrings(path: Path, tree: ast.Module) -> Iterator[Docstring]:
    """The public docstrings of a file, its own first."""
    if not path.stem.startswith("_") or path.stem == "__init__":
        yield Docstring(f"{path}:1 module", ast.get_docstring(tree) or "")
    yield from _inner(path, tree)


def _inner(path: Path, parent: ast.Module | ast.ClassDef) -> Iterator[Docstring]:
    for node in parent.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if any(
            ast.unparse(item) in ("overload", "typing.overload") for item in node.decorator_list
        ):
            continue
        place, text = f"{path}:{node.lineno} {node.name}", ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            yield Docstring(place, text)
            yield from _inner(path, node)
        else:
            yield Docstring(place, text, _arguments(node, isinstance(parent, ast.ClassDef)))


def _arguments(node: ast.FunctionDef, is_method: bool) -> int:
    """Number of arguments, `*args` and `**kwargs` counted, `self` and `cls` not."""
    spec = node.args
    positional = [*spec.posonlyargs, *spec.args]
    static = any(ast.unparse(item) == "staticmethod" for item in node.decorator_list)
    count = len(positional) - (is_method and not static and bool(positional))
    return count + len(spec.kwonlyargs) + bool(spec.vararg) + bool(spec.kwarg)


def riddles(texts: Iterable[str]) -> float:
    """Words of riddles in 100 words of docstrings."""
    words = hits = 0
    for text in texts:
        words += len(text.split())
        hits += len(RIDDLES.findall(text))
    return 100 * hits / max(words, 1)


def named_tests(tree: ast.Module) -> list[tuple[int, str]]:
    """Line and name of each test of a file."""
    return [
        (node.lineno, node.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@dataclass(frozen=True)
class Words:
    """The measures of a checkout.

    Attributes:
        names: Number of names that the package defines.
        vague: Places of the vague ones.
        wide: Places of lines over `MAX_COLUMNS`, in every folder of code.
        docstrings: Public docstrings of the package.
        tests: Name of each test, by its place.
    """

    names: int
    vague: list[str]
    wide: list[str]
    docstrings: list[Docstring]
    tests: dict[str, str]

    @classmethod
    def of(cls, tree: Path) -> Words:
        """The measures of the checkout in a folder."""
        files = sorted((tree / "src/unwarp").rglob("*.py"))
        parsed = {path: ast.parse(path.read_text()) for path in files}
        folders = [
            path
            for name in ("src", "tests", "benchmarks", "examples")
            for path in sorted((tree / name).rglob("*.py"))
        ]
        suites = {
            path: ast.parse(path.read_text()) for path in sorted((tree / "tests").rglob("*.py"))
        }
        return cls(
            names=sum(1 for part in parsed.values() for _ in defined_names(part)),
            vague=[
                f"{path}:{line} {name}"
                for path, part in parsed.items()
                for line, name in vague_names(part)
            ],
            wide=[
                f"{path}:{number}"
                for path in folders
                for number, line in enumerate(path.read_text().splitlines(), 1)
                if len(line) > MAX_COLUMNS
            ],
            docstrings=[doc for path, part in parsed.items() for doc in docstrings(path, part)],
            tests={
                f"{path}:{line}": name
                for path, part in suites.items()
                for line, name in named_tests(part)
            },
        )

    @property
    def missing(self) -> list[Docstring]:
        """Public definitions without a docstring."""
        return [doc for doc in self.docstrings if not doc.text]

    @property
    def with_arguments(self) -> list[Docstring]:
        """Public functions of two arguments or more."""
        return [doc for doc in self.docstrings if doc.arguments >= 2]

    @property
    def without_args(self) -> list[Docstring]:
        """Those of them without a section `Args`."""
        return [doc for doc in self.with_arguments if "Args:" not in doc.text]

    @property
    def long_first_lines(self) -> list[Docstring]:
        """Docstrings with more than `MAX_FIRST_LINE_WORDS` words in their first sentence."""
        return [
            doc
            for doc in self.docstrings
            if len(doc.text.split("\n\n")[0].split()) > MAX_FIRST_LINE_WORDS
        ]

    def table(self) -> dict[str, str]:
        """Each measure in words."""
        documented = [doc for doc in self.docstrings if doc.text]
        lines = [doc.text.count("\n") + 1 for doc in documented]
        names = [len(name) for name in self.tests.values()]
        described = len(self.with_arguments) - len(self.without_args)
        return {
            "vague names": f"{len(self.vague)} of {self.names}",
            f"lines over {MAX_COLUMNS} columns": f"{len(self.wide)}",
            "public docstrings": f"{len(documented)} of {len(self.docstrings)}",
            "with Args, for two arguments or more": f"{described} of {len(self.with_arguments)}",
            "docstring lines: median": f"{median(lines):.0f}",
            f"first lines over {MAX_FIRST_LINE_WORDS} words": f"{len(self.long_first_lines)}",
            "riddles in 100 words of docstrings": f"{riddles(doc.text for doc in documented):.2f}",
            "test names, characters: median / longest": f"{median(names):.0f} / {max(names)}",
        }


def main() -> None:
    """Print the table, and with `--list` the places."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tree", type=Path, default=Path(__file__).parents[1], help="another checkout"
    )
    parser.add_argument(
        "--list", action="store_true", help="also print every place that breaks a rule"
    )
    parser.add_argument(
        "--under", default="", help="with --list: places of files with this text in their path"
    )
    options = parser.parse_args()
    words = Words.of(options.tree.resolve())
    for name, value in words.table().items():
        print(f"{name:50} {value}")
    if options.list:
        _print_places(words, options.tree.resolve(), options.under)


def _print_places(words: Words, tree: Path, under: str) -> None:
    """Print each place that breaks a rule, under the rule."""
    rules = {
        "vague": words.vague,
        "too wide": words.wide,
        "no docstring": [doc.place for doc in words.missing],
        "no Args": [doc.place for doc in words.without_args],
        "long first line": [doc.place for doc in words.long_first_lines],
        "riddle": [
            f"{d.place}: {', '.join(m[0] for m in RIDDLES.findall(d.text))}"
            for d in words.docstrings
            if RIDDLES.search(d.text)
        ],
        "long test name": [
            f"{place} {name}" for place, name in words.tests.items() if len(name) > 40
        ],
    }
    for rule, places in rules.items():
        for place in (place.replace(f"{tree}/", "") for place in places):
            if under in place:
                print(f"{rule}: {place}")


if __name__ == "__main__":
    main()

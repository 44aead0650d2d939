"""The language of the code: ceilings that only fall, floors that only rise."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from statistics import median

from benchmarks.words import Words, docstrings, named_tests, riddles, vague_names

MAX_VAGUE_NAMES = 0
MIN_DOCUMENTED = 1.0
MIN_WITH_ARGS = 1.0
MIN_MEDIAN_DOCSTRING_LINES = 6
MAX_RIDDLES = 0.5
MAX_TEST_NAME = 45


@cache
def words() -> Words:
    """The measures of this checkout."""
    return Words.of(Path(__file__).parents[1])


def test_names_are_not_vague() -> None:
    """Participles and pronouns alone do not say what they name."""
    assert len(words().vague) <= MAX_VAGUE_NAMES, words().vague


def test_lines_fit_in_100_columns() -> None:
    """No line of code is wider, docstrings included."""
    assert not words().wide


def test_public_names_have_docstrings() -> None:
    """Nearly every public module, class, function and method has one."""
    assert 1 - len(words().missing) / len(words().docstrings) >= MIN_DOCUMENTED, words().missing


def test_arguments_are_described() -> None:
    """Public functions with two arguments or more describe them in a section `Args`."""
    share = 1 - len(words().without_args) / len(words().with_arguments)
    assert share >= MIN_WITH_ARGS, [doc.place for doc in words().without_args]


def test_docstrings_inform() -> None:
    """Half of the docstrings have several lines, and a first one of at most twelve words."""
    lines = [doc.text.count("\n") + 1 for doc in words().docstrings]
    assert median(lines) >= MIN_MEDIAN_DOCSTRING_LINES
    assert not words().long_first_lines


def test_docstrings_are_not_riddles() -> None:
    """Few of their words are those of sentences that have to be read twice."""
    assert riddles(doc.text for doc in words().docstrings) <= MAX_RIDDLES


def test_test_names_are_short() -> None:
    """The claim of a test is its docstring; its name is a name."""
    assert not [name for name in words().tests.values() if len(name) > MAX_TEST_NAME]


def test_vague_names_are_counted() -> None:
    """The measure itself, on each way to define a name."""
    source = "found = 1\ndef taken(known, x): self.given_ = x\nclass Kept: pass\nx.told = founded"
    names = [name for _, name in vague_names(ast.parse(source))]
    assert sorted(names) == ["found", "given", "kept", "known", "taken", "told"]


def test_docstrings_are_collected() -> None:
    """Public definitions count, private ones and overloads do not; `self` is no argument."""
    source = (
        "class A:\n    def f(self, x, *, y): 'Doc.'\n    def _g(self): ...\n"
        "@overload\ndef h(x): ...\n@staticmethod\ndef k(x, *y, **z): ..."
    )
    collected = [
        (doc.place.split()[-1], doc.arguments)
        for doc in docstrings(Path("a.py"), ast.parse(source))
    ]
    assert collected == [("module", 0), ("A", 0), ("f", 2), ("k", 3)]


def test_riddles_are_counted() -> None:
    """Words of riddles in a hundred, whole words only."""
    assert riddles(["what stands whatever", "somewhat lies understand found"]) == 500 / 7


def test_tests_are_collected() -> None:
    """Functions whose names begin with `test_`, those of classes included."""
    source = "def test_a(): ...\nclass B:\n    def test_b(self): ...\ndef tested(): ..."
    assert sorted(name for _, name in named_tests(ast.parse(source))) == ["test_a", "test_b"]

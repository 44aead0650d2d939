"""Formats of files by suffix: files of this folder register theirs, as may a user's module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from unwarp.core import Array, Registry, import_files
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError

Reader = Callable[[Path], Source]
Writer = Callable[[Path, Array], object]


@dataclass(frozen=True)
class Format:
    """A format of files.

    Attributes:
        reader: Function from the path of a file to its samples.
        description: The format in words, for lists.
        package: Optional package that the reader imports; empty for none.
        install: Requirement that pip installs for it.
        accepts: Function that says whether the content of a file is of this format; None for any.
        writer: Function that writes series (N, T) to a path, for the format's tests; None for none.
    """

    reader: Reader
    description: str
    package: str = ""
    install: str = ""
    accepts: Callable[[Path], bool] | None = None
    writer: Writer | None = None

    def read(self, path: Path) -> Source:
        """The samples in a file.

        Raises:
            DataError: A damaged file, or a package that is not installed.
        """
        if self.package:
            try:
                import_module(self.package)
            except ImportError as error:
                raise DataError(
                    f"{path}: reading {path.suffix} files needs the package {self.package}; "
                    f"install it with: pip install {self.install or self.package!r}"
                ) from error
        return self.reader(path)


REGISTRY: Registry[Format] = Registry("file format", ConfigError)
"""Formats by suffix of the modules imported so far; `formats` imports those of this folder."""


def reader(
    *suffixes: str,
    description: str,
    package: str = "",
    install: str = "",
    accepts: Callable[[Path], bool] | None = None,
    writer: Writer | None = None,
) -> Callable[[Reader], Reader]:
    """A decorator that registers a function as the reader of suffixes.

    Args:
        suffixes: Ends of file names as in `Path.suffix`, such as `.tsv`; empty for names without.
        description: The format in words, for lists.
        package: Optional package that the reader imports; an error says where it is absent.
        install: Requirement that pip installs for it; empty for the package's own name.
        accepts: Function that says whether the content of a file looks like this format.
        writer: Function that writes series (N, T) to a path, for the contract tests of formats.

    Raises:
        ConfigError: Something that is no suffix, or one that another reader has.

    >>> @reader(".numbers", description="a number a line")
    ... def read_numbers(path: Path) -> Source:
    ...     return Source(np.loadtxt(path)[None], None, None, "a series", "series")
    >>> REGISTRY.pop(".numbers").description
    'a number a line'
    """

    def register(function: Reader) -> Reader:
        for suffix in suffixes:
            if Path(f"name{suffix}").suffix != suffix or suffix != suffix.lower():
                raise ConfigError(
                    f"{suffix!r} is no suffix; give it as '.tsv', in lower case and with one dot"
                )
            member = Format(function, description, package, install, accepts, writer)
            REGISTRY.add(suffix, member, function)
        return function

    return register


def formats() -> dict[str, Format]:
    """Formats by suffix, those of imported modules included, in alphabetical order."""
    import_files("unwarp.data.formats")
    return dict(sorted(REGISTRY.items()))

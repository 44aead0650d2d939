"""Registry of file formats by suffix, open to modules outside this package.

To add a format, write a function with the decorator `reader`, in a file of this folder or in any
module that is imported:

    @reader(".pulses", description="one series per line")
    def read_pulses(path: Path) -> Source:
        return Source(np.loadtxt(path, dtype=np.float32), domain="series")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from unwarp.core import Array, Registry, import_files
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError

Reader = Callable[[Path], Source]
"""Function from the path of a file to its samples."""

Writer = Callable[[Path, Array], object]
"""Function that writes series (N, T) to a path."""


@dataclass(frozen=True)
class Format:
    """A file format: its reader, and facts for lists and messages.

    The decorator `reader` creates formats; `formats` lists them.

    Attributes:
        reader: Function from the path of a file to its samples.
        description: The format in a few words, for the list of `unwarp info`.
        package: Package that the reader imports and that may not be installed; empty if the reader
            needs none.
        install: Argument of `pip install` that installs the package; empty if it is the name of the
            package.
        accepts: Function that reads the start of a file and tells whether the file has this format;
            None if the suffix is enough.
        writer: Function that writes series (N, T) to a path, for tests; None if there is none.

    >>> formats()[".npy"].description
    'an array of samples'
    """

    reader: Reader
    description: str
    package: str = ""
    install: str = ""
    accepts: Callable[[Path], bool] | None = None
    writer: Writer | None = None

    def read(self, path: Path) -> Source:
        """Read a file, after a check that the needed package is installed.

        Args:
            path: A file of this format.

        Returns:
            Its samples, with the labels, names and times that the file contains.

        Raises:
            DataError: The file is damaged, or a package is not installed.
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
"""Formats by suffix, from the modules imported so far; `formats` imports all of this folder."""


def reader(
    *suffixes: str,
    description: str,
    package: str = "",
    install: str = "",
    accepts: Callable[[Path], bool] | None = None,
    writer: Writer | None = None,
) -> Callable[[Reader], Reader]:
    """Make a decorator that registers a function as a reader.

    Args:
        suffixes: Suffixes of the files that the function reads, as in `Path.suffix`, such as
            `.tsv`, in lower case; an empty string for file names without a suffix.
        description: The format in a few words, for the list of `unwarp info`.
        package: Package that the reader imports and that may not be installed; an error then says
            how to install it. Empty if the reader needs none.
        install: Argument of `pip install` that installs the package; empty if it is the name of the
            package.
        accepts: Function that reads the start of a file and tells whether the file has this format;
            None if the suffix is enough.
        writer: Function that writes series (N, T) to a path; tests write a file with it and read it
            again. None if there is none.

    Returns:
        The decorator, which gives the function back unchanged.

    Raises:
        ConfigError: A suffix is not valid, or belongs to another reader.

    >>> @reader(".numbers", description="one number per line")
    ... def read_numbers(path: Path) -> Source:
    ...     return Source(np.loadtxt(path)[None], description="a series", domain="series")
    >>> REGISTRY.pop(".numbers").description
    'one number per line'
    """

    def register(function: Reader) -> Reader:
        for suffix in suffixes:
            if Path(f"name{suffix}").suffix != suffix or suffix != suffix.lower():
                raise ConfigError(
                    f"{suffix!r} is not a suffix; give it as '.tsv', in lower case and with one dot"
                )
            file_format = Format(function, description, package, install, accepts, writer)
            REGISTRY.add(suffix, file_format, function)
        return function

    return register


def formats() -> dict[str, Format]:
    """All formats by suffix, in alphabetical order.

    These are the formats of this folder and the formats that other imported modules registered.
    """
    import_files("unwarp.data.formats")
    return dict(sorted(REGISTRY.items()))

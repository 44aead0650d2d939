"""Registry of file formats by suffix, open to modules outside this package.

To add a format, write a function with the decorator `reader`, in a file of this folder or in any
module that is imported:

    @reader(".pulses", description="one series per line")
    def read_pulses(path: Path) -> Source:
        return Source(np.loadtxt(path, dtype=np.float32), domain="series")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from unwarp.core import Array
from unwarp.data.form import Output, Picture
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.recording_form import Recording
from unwarp.data.source import Source
from unwarp.disk.files import Write
from unwarp.errors import ConfigError, DataError
from unwarp.registry import Registry, import_files

Reader = Callable[[Path], Source]
"""Function from the path of a file to its samples."""

HintedReader = Callable[[Path, Hints], Source]
"""Function from the path of a file, and the user's hints, to its samples."""

RecordingReader = Callable[[Path, Hints], Recording]
"""Function from the path of a file, and the user's hints, to the recording that it holds."""

Decoder = Callable[[BinaryIO, str, Hints, bool], list[Picture]]
"""Function from an opened file of pictures to its pictures.

Its other arguments are the name of the file, for errors, the user's hints, and whether the user
gave this file alone.
"""

Encoder = Callable[[Output], bytes | Write]
"""Function from samples to the content of a file, or to a function that writes it."""

Writer = Callable[[Path, Array], object]
"""Function that writes series (N, T) to a path."""


@dataclass(frozen=True)
class Format:
    """A file format: its reader, and facts for lists and messages.

    The decorator `reader` creates formats; `formats` lists them.

    Attributes:
        reader: Function from the path of a file, and the user's hints, to its samples; None for a
            format of picture files, which has a decoder.
        description: The format in a few words, for the list of `unwarp info`.
        package: Package that the reader imports and that may not be installed; empty if the reader
            needs none.
        install: Argument of `pip install` that installs the package; empty if it is the name of the
            package.
        accepts: Function that reads the start of a file and tells whether the file has this format;
            None if the suffix is enough.
        writer: Function that writes series (N, T) to a path, for tests; None if there is none.
        decode: Function from an opened file of pictures to its pictures, for files that may lie in
            a folder of pictures; None for other formats.
        encode: Function from samples to the content of a file, for results in this format; None if
            there is none.
        has_members: Whether a file holds several arrays with names, one of which may be named.

    >>> formats()[".npy"].description
    'an array of samples'
    """

    reader: HintedReader | None
    description: str
    package: str = ""
    install: str = ""
    accepts: Callable[[Path], bool] | None = None
    writer: Writer | None = None
    decode: Decoder | None = None
    encode: Encoder | None = None
    has_members: bool = False

    def read(self, path: Path, hints: Hints = NO_HINTS) -> Source:
        """Read a file, after a check that the needed package is installed.

        Args:
            path: A file of this format.
            hints: The user's hints; readers of formats without pictures ignore them.

        Returns:
            Its samples, with the labels, names and times that the file contains.

        Raises:
            DataError: The file is damaged, or a package is not installed.
        """
        self.check_package(f"{path}: reading {path.suffix} files")
        if self.reader is None:
            raise DataError(f"{path} is a picture, not a collection; read it with read_files")
        return self.reader(path, hints)

    def check_package(self, work: str) -> None:
        """Refuse work that needs a package which is not installed.

        Args:
            work: The work, the start of the message.

        Raises:
            DataError: The package is not installed; the message says how to install it.
        """
        if not self.package:
            return
        try:
            import_module(self.package)
        except ImportError as error:
            raise DataError(
                f"{work} needs the package {self.package}; "
                f"install it with: pip install {self.install or self.package!r}"
            ) from error


REGISTRY: Registry[Format] = Registry("file format", ConfigError)
"""Formats by suffix, from the modules imported so far; `formats` imports all of this folder."""

RECORDING_REGISTRY: Registry[RecordingReader] = Registry("reader of recordings", ConfigError)
"""Readers of the one recording that a file holds, by suffix."""


def reader(
    *suffixes: str,
    description: str,
    package: str = "",
    install: str = "",
    accepts: Callable[[Path], bool] | None = None,
    writer: Writer | None = None,
    encode: Encoder | None = None,
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
        encode: Function from samples to the content of a file, for results; None if there is none.

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
        @wraps(function)
        def read(path: Path, hints: Hints) -> Source:
            return function(path)

        _add(
            suffixes,
            Format(read, description, package, install, accepts, writer, encode=encode),
            function,
        )
        return function

    return register


def hinted_reader(
    *suffixes: str,
    description: str,
    package: str = "",
    install: str = "",
    writer: Writer | None = None,
    encode: Encoder | None = None,
    has_members: bool = False,
) -> Callable[[HintedReader], HintedReader]:
    """Make a decorator that registers a reader which takes the user's hints.

    Args:
        suffixes: Suffixes of the files, as for `reader`.
        description: The format in a few words.
        package: Package that the reader imports and that may not be installed; empty for none.
        install: Argument of `pip install` that installs the package.
        writer: Function that writes series (N, T) to a path, for tests; None if there is none.
        encode: Function from samples to the content of a file, for results; None if there is none.
        has_members: Whether a file holds several arrays with names.

    Returns:
        The decorator, which gives the function back unchanged.

    Raises:
        ConfigError: A suffix is not valid, or belongs to another reader.
    """

    def register(function: HintedReader) -> HintedReader:
        file_format = Format(function, description, package, install, None, writer, encode=encode)
        _add(suffixes, replace(file_format, has_members=has_members), function)
        return function

    return register


def picture_reader(
    *suffixes: str, description: str, encode: Encoder | None = None
) -> Callable[[Decoder], Decoder]:
    """Make a decorator that registers a decoder of picture files.

    Such files are read by themselves, from a folder, by a pattern or from a `.zip` file.

    Args:
        suffixes: Suffixes of the files, as for `reader`.
        description: The format in a few words.
        encode: Function from samples to the content of a file, for results; None if there is none.

    Returns:
        The decorator, which gives the function back unchanged.

    Raises:
        ConfigError: A suffix is not valid, or belongs to another reader.
    """

    def register(function: Decoder) -> Decoder:
        _add(suffixes, Format(None, description, decode=function, encode=encode), function)
        return function

    return register


def recording_reader(*suffixes: str) -> Callable[[RecordingReader], RecordingReader]:
    """Make a decorator for readers of files with one recording.

    Folders with a file a recording are read with them.

    Args:
        suffixes: Suffixes of the files, in lower case.

    Returns:
        The decorator, which gives the function back unchanged.

    Raises:
        ConfigError: A suffix belongs to another reader.
    """

    def register(function: RecordingReader) -> RecordingReader:
        for suffix in suffixes:
            RECORDING_REGISTRY.add(suffix, function, function)
        return function

    return register


def recording_readers() -> dict[str, RecordingReader]:
    """All readers of one recording by suffix, in alphabetical order."""
    import_files("unwarp.data.formats")
    return dict(sorted(RECORDING_REGISTRY.items()))


def _add(suffixes: tuple[str, ...], file_format: Format, function: object) -> None:
    """Register a format for suffixes."""
    for suffix in suffixes:
        if Path(f"name{suffix}").suffix != suffix or suffix != suffix.lower():
            raise ConfigError(
                f"{suffix!r} is not a suffix; give it as '.tsv', in lower case and with one dot"
            )
        REGISTRY.add(suffix, file_format, function)


def formats() -> dict[str, Format]:
    """All formats by suffix, in alphabetical order.

    These are the formats of this folder and the formats that other imported modules registered.
    """
    import_files("unwarp.data.formats")
    return dict(sorted(REGISTRY.items()))

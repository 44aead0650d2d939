"""The errors that a user can cause; this file imports nothing, so that they are known without torch."""

from __future__ import annotations


class UnwarpError(Exception):
    """Base of every error that a user can cause; the message says what came and what to do."""


class DataError(UnwarpError, ValueError):
    """Data that cannot be used as given: rank, size, range, missing values, an unreadable file."""


def no_such_source(source: object, formats: str) -> DataError:
    """The error for a path where nothing is; `formats` are the suffixes of files that can be read."""
    return DataError(
        f"{str(source)!r} does not exist; give a folder of pictures or a file: {formats}"
    )


class ConfigError(UnwarpError, ValueError):
    """A choice that does not exist or does not fit: an unknown warp, a value out of bounds."""


class NotImportedError(ConfigError):
    """A class that no imported module defines; the message names its module."""


class CheckpointError(UnwarpError, ValueError):
    """A model or run folder that is damaged, absent, or of another format."""


class TrainingError(UnwarpError, RuntimeError):
    """A training run that cannot go on; the message names the step, the player and the term."""


class NotInvertibleError(UnwarpError, RuntimeError):
    """A map was asked for something that its family does not have, such as an inverse."""

"""Errors that a user can cause and mend.

Every message names the problem and the next step. The command line prints it as one line and
ends with exit code 2; any other exception is a fault of the library and keeps its traceback. This
file imports nothing, so that the command line can catch these errors before torch is imported.

    try:
        unwarper.fit(x)
    except UnwarpError as error:
        print(error)
"""

from __future__ import annotations


class UnwarpError(Exception):
    """Base of every error that a user can cause and mend.

    Catch it to handle all of them. Each subclass also derives from a standard exception
    (`ValueError` or `RuntimeError`), so that code which does not import this library can catch it,
    too.

    >>> issubclass(DataError, UnwarpError) and issubclass(DataError, ValueError)
    True
    """


class DataError(UnwarpError, ValueError):
    """Data that cannot be used.

    Examples: a wrong number of axes, samples of several sizes, missing or infinite values, numbers
    outside the range of the training data, a file that cannot be read.

    >>> raise DataError("X is empty")
    Traceback (most recent call last):
    unwarp.errors.DataError: X is empty
    """


def missing_source_error(source: object, formats: str) -> DataError:
    """The error for a path to samples that does not exist.

    Args:
        source: The path, as the user wrote it.
        formats: File name endings that can be read, separated by commas, for the message.

    Returns:
        The error, to be raised by the caller.

    >>> print(missing_source_error("digits.npz", ".npy, .npz"))
    'digits.npz' does not exist; give a folder of pictures or a file: .npy, .npz
    """
    return DataError(
        f"{str(source)!r} does not exist; give a folder of pictures or a file: {formats}"
    )


class ConfigError(UnwarpError, ValueError):
    """An option that does not exist or does not fit.

    Examples: an unknown warp, a negative sampling rate, a likelihood that does not fit the data.
    The message names the argument as `name=value` and lists the accepted values.

    >>> raise ConfigError("device='tpu' is not available here; choose one of cpu, auto")
    Traceback (most recent call last):
    unwarp.errors.ConfigError: device='tpu' is not available here; choose one of cpu, auto
    """


class NotImportedError(ConfigError):
    """A class of a saved model that no imported module defines.

    Models name the classes of a user's own modules. The message names the module; import it, or
    pass it to the command line as `--plugin`, then load the model again.

    >>> issubclass(NotImportedError, ConfigError)
    True
    """


class CheckpointError(UnwarpError, ValueError):
    """A model folder or run folder that cannot be read.

    It is absent, damaged, of another format, or belongs to another run.

    >>> issubclass(CheckpointError, ValueError)
    True
    """


class TrainingError(UnwarpError, RuntimeError):
    """A training run that cannot go on.

    A loss or a gradient is not finite. The message names the step, the player (the part of the
    model that was being trained), the term of its loss, and the rows of the data.

    >>> issubclass(TrainingError, RuntimeError)
    True
    """


class NotInvertibleError(UnwarpError, RuntimeError):
    """An operation that a map does not have.

    Some families of deformations have no inverse, or no `push` in closed form.

    >>> issubclass(NotInvertibleError, RuntimeError)
    True
    """

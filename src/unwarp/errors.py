"""Errors that a user can cause and correct.

Every message says what is wrong and what to do. The command line prints the message as one line
and ends with exit code 2; any other exception is a bug of the library and keeps its traceback.
This file imports nothing, so that the command line can catch these errors before it imports torch.

    try:
        unwarper.fit(x)
    except UnwarpError as error:
        print(error)
"""

from __future__ import annotations


class UnwarpError(Exception):
    """Base class of the errors that a user can cause and correct.

    Catch it to handle all of them. Each subclass also derives from `ValueError` or `RuntimeError`,
    so that code without an import of this library can catch it, too.

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


class DataTypeError(DataError, TypeError):
    """Data that hold objects instead of numbers.

    It is a `TypeError` as well, which scikit-learn requires of such data.

    >>> issubclass(DataTypeError, DataError) and issubclass(DataTypeError, TypeError)
    True
    """


def missing_source_error(source: object, formats: str) -> DataError:
    """The error to raise for a path that does not exist.

    Args:
        source: The path, as the user wrote it.
        formats: Suffixes of the files that can be read, separated by commas.

    Returns:
        The error with its message; the caller raises it.

    >>> print(missing_source_error("digits.npz", ".npy, .npz"))
    'digits.npz' does not exist; give a folder of pictures, a file (.npy, .npz) or a data set
    """
    choices = f"a folder of pictures, a file ({formats}) or a data set"
    return DataError(f"{str(source)!r} does not exist; give {choices}")


class ConfigError(UnwarpError, ValueError):
    """An option that does not exist or does not fit.

    Examples: an unknown warp, a negative sampling rate, a likelihood that does not fit the data.
    The message names the argument as `name=value` and lists the accepted values.

    >>> raise ConfigError("device='tpu' is not available here; choose one of cpu, auto")
    Traceback (most recent call last):
    unwarp.errors.ConfigError: device='tpu' is not available here; choose one of cpu, auto
    """


class NotImportedError(ConfigError):
    """A saved model needs a class that is not imported.

    A saved model stores the names of its classes, and a user's module may define some of them. The
    message names the module; import it, or pass it to the command line as `--plugin`, then load the
    model again.

    >>> issubclass(NotImportedError, ConfigError)
    True
    """


class CheckpointError(UnwarpError, ValueError):
    """A model folder or run folder that cannot be read or written.

    It does not exist, is damaged, has another format, belongs to another run, or a folder with
    other files has its name.

    >>> issubclass(CheckpointError, ValueError)
    True
    """


class CheckpointWarning(UserWarning):
    """A damaged checkpoint is left out.

    An older one takes its place. The message names the damaged file and the one from which the run
    continues.

    >>> issubclass(CheckpointWarning, UserWarning)
    True
    """


class TrainingError(UnwarpError, RuntimeError):
    """A training cannot go on.

    The message names the step, the player (a module that is trained with its own loss and
    optimiser), the term of its loss, and the rows of the samples. See `DivergenceError`.

    >>> issubclass(TrainingError, RuntimeError)
    True
    """


class DivergenceError(TrainingError):
    """A loss, gradient or weight of a training is not finite.

    Attributes:
        reason: The player and the value that is not finite, in words.
        rows: First rows of the samples in the batch of the step.

    >>> DivergenceError("stopped at step 3", "the loss is nan", (4, 1)).rows
    (4, 1)
    """

    def __init__(self, message: str, reason: str = "", rows: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.reason, self.rows = reason, rows


class ProcessError(TrainingError):
    """One of several processes that train together was lost.

    >>> issubclass(ProcessError, TrainingError)
    True
    """


class NotInvertibleError(UnwarpError, RuntimeError):
    """A map (a batch of deformations) does not have the operation.

    Some families of deformations have no inverse, or no `push` in closed form.

    >>> issubclass(NotInvertibleError, RuntimeError)
    True
    """


class DataWarning(UserWarning):
    """Data that are used, but not as they are.

    The message names the sample and says what happened to it.

    >>> issubclass(DataWarning, UserWarning)
    True
    """

"""Biosignals: EDF and BDF files, and WFDB records.

`pip install 'unwarp[edf]'` and `pip install 'unwarp[wfdb]'` install edfio and wfdb. A file
holds one recording; a folder of them is a collection.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.recordings import read_recordings
from unwarp.data.formats.registry import hinted_reader, recording_reader
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.recording_form import Recording, TableForm
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError


@hinted_reader(
    ".edf",
    ".bdf",
    description="a recording; a folder of them is a collection",
    package="edfio",
    install="unwarp[edf]",
)
def read_edf(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read one recording.

    Args:
        path: An EDF, EDF+, BDF or BDF+ file.
        hints: The user's hints: `value_columns` names channels.

    Returns:
        One series in physical units, with times in seconds.

    Raises:
        DataError: The file is damaged, or its channels have several rates.
        ConfigError: It has no channel of a name.
    """
    return read_recordings([path], hints)


@recording_reader(".edf", ".bdf")
def record_edf(path: Path, hints: Hints) -> Recording:
    """Read one recording.

    Args:
        path: The file.
        hints: The user's hints: `value_columns` names channels.

    Raises:
        DataError: The file is damaged, or its channels have several rates.
        ConfigError: It has no channel of a name.
    """
    import edfio

    try:
        file = edfio.read_bdf(path) if path.suffix.lower() == ".bdf" else edfio.read_edf(path)
        names = _channels(path, [signal.label for signal in file.signals], hints)
        signals = [signal for signal in file.signals if signal.label in names]
        rates = {signal.label: float(signal.sampling_frequency) for signal in signals}
        values = [np.asarray(signal.data, np.float64) for signal in signals]
    except (DataError, ConfigError):
        raise
    except Exception as error:  # a damaged file makes edfio raise nearly anything
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is damaged or no EDF file: {reason}; get it again") from error
    if len(set(rates.values())) != 1:
        words = ", ".join(f"{name} {rate:g}" for name, rate in rates.items()) or "no channel"
        raise DataError(
            f"{path} has channels of several rates ({words} samples per second); name those of one "
            "rate with value_columns"
        )
    return _recording(np.stack(values), next(iter(rates.values())), names)


@hinted_reader(
    ".hea",
    description="a record of PhysioNet; a folder of them is a collection",
    package="wfdb",
    install="unwarp[wfdb]",
)
def read_wfdb(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read one record.

    Args:
        path: The header `NAME.hea`; its signals lie beside it.
        hints: The user's hints: `value_columns` names channels.

    Returns:
        One series in physical units, with times in seconds.

    Raises:
        DataError: The record is damaged.
        ConfigError: It has no channel of a name.
    """
    return read_recordings([path], hints)


@recording_reader(".hea")
def record_wfdb(path: Path, hints: Hints) -> Recording:
    """Read one record.

    Args:
        path: The header `NAME.hea`.
        hints: The user's hints: `value_columns` names channels.

    Raises:
        DataError: The record is damaged.
        ConfigError: It has no channel of a name.
    """
    import wfdb

    try:
        record = wfdb.rdrecord(str(path.with_suffix("")))
        rate, labels, values = float(record.fs), list(record.sig_name), record.p_signal.T
    except Exception as error:  # a damaged record makes wfdb raise nearly anything
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is damaged or no WFDB record: {reason}; get it again") from error
    names = _channels(path, labels, hints)
    rows = [k for k, label in enumerate(labels) if label in names]
    return _recording(np.asarray(values[rows], np.float64), rate, names)


def _channels(path: Path, labels: list[str], hints: Hints) -> tuple[str, ...]:
    """Names of the channels to read, in the order of the file."""
    selected = hints.value_columns or tuple(labels)
    for name in selected:
        if name not in labels:
            raise ConfigError(
                f"value_columns={name!r} is no channel of {path}; choose among {', '.join(labels)}"
            )
    return tuple(label for label in labels if label in selected)


def _recording(values: Array, rate: float, names: tuple[str, ...]) -> Recording:
    """Channels at one rate; they are written again as tables."""
    times = np.arange(values.shape[1]) / rate
    return Recording(values, times, names, TableForm(), f"{rate:,g} samples per second; ")

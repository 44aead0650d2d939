"""WAV files: one recording, its rate in the header."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np

from unwarp.data.formats.recordings import read_recordings
from unwarp.data.formats.registry import hinted_reader, recording_reader
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.recording_form import Recording, WaveForm
from unwarp.data.source import Source
from unwarp.errors import DataError

BITS_OFFSET, BYTES_OF_START = 22, 4096
"""Bytes from the start of the format chunk to the bits of a sample; bytes that are searched."""


@hinted_reader(".wav", description="a recording; a folder of them is a collection")
def read_wav(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read one recording.

    Args:
        path: The file: 8, 16, 24 or 32 bits, or floating-point numbers.
        hints: Not used.

    Returns:
        One series in the units of the file, with times in seconds.

    Raises:
        DataError: The file is damaged or compressed.
    """
    return read_recordings([path], hints)


@recording_reader(".wav")
def record_wav(path: Path, hints: Hints) -> Recording:
    """Read one recording.

    Args:
        path: The file.
        hints: Not used.

    Raises:
        DataError: The file is damaged or compressed.
    """
    from scipy.io import wavfile

    content = path.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of chunks that hold no samples
            rate, samples = wavfile.read(io.BytesIO(content))
    except Exception as error:  # a damaged file makes SciPy raise nearly anything
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is damaged or no WAV file: {reason}; write it again") from error
    if not samples.size or rate <= 0:
        raise DataError(f"{path} holds no samples; write it again")
    bits = _bits(content, samples.dtype.itemsize * 8)
    if bits == 24:  # SciPy puts 24 bits in the upper ones of 32
        samples = samples >> 8
    form = WaveForm(int(rate), bits, samples.dtype.kind == "f")
    values = np.atleast_2d(samples.T)
    times = np.arange(values.shape[1]) / rate
    dtype = values.dtype if values.dtype in (np.float32, np.float64) else np.float64
    return Recording(values.astype(dtype), times, (), form, f"{rate:,} samples per second; ")


def _bits(content: bytes, default: int) -> int:
    """Bits of a sample, from the format chunk."""
    start = content[:BYTES_OF_START].find(b"fmt ")
    place = content[start + BITS_OFFSET : start + BITS_OFFSET + 2]
    return int.from_bytes(place, "little") if start >= 0 and len(place) == 2 else default

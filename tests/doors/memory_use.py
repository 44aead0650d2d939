"""The private memory of a program, measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MEASURE = """
import sys, threading, time
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)

def private():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(l.split()[1]) for l in lines if l.startswith("Private_Dirty:")) / 1e3

def watch():
    while True:
        peak[0] = max(peak[0], private() - start)
        time.sleep(0.05)

start, peak, folder = private(), [0.0], Path(sys.argv[1])
threading.Thread(target=watch, daemon=True).start()
"""
"""Start of a program: the largest private memory above that after `import torch`, in megabytes."""

RETURN_FREED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 22), "MALLOC_ARENA_MAX": "1"}
"""Variables of glibc with which freed arrays go back to the system at once, and are not counted."""


def megabytes_of(program: str, folder: Path) -> float:
    """The largest private memory of a program in megabytes, without that of PyTorch.

    Args:
        program: Statements in Python; `folder` and `np` are defined.
        folder: A folder for files.
    """
    code = f"{MEASURE}\n{program}\nprint(peak[0])"
    command = [sys.executable, "-c", code, str(folder)]
    environment = {**os.environ, **RETURN_FREED_MEMORY}
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout
    return float(output.splitlines()[-1])

"""`python -m unwarp.distributed align|embed MODEL SOURCE --out OUT`."""

from __future__ import annotations

import argparse
import sys

from unwarp.distributed.results import align, embed
from unwarp.errors import UnwarpError


def main() -> None:
    """Run `align` or `embed` with the arguments of the command line."""
    parser = argparse.ArgumentParser("python -m unwarp.distributed", description=__doc__)
    parser.add_argument("work", choices=("align", "embed"))
    parser.add_argument("model", help="folder of a model or of a run")
    parser.add_argument("source", help="shards, a folder of images, or a file")
    parser.add_argument(
        "--out", "-o", required=True, help="new or empty folder, or one begun before"
    )
    parser.add_argument("--rows-per-part", type=int, help="number of samples in a part")
    parser.add_argument(
        "--workers", type=int, help="number of processes; by default all processors"
    )
    arguments = parser.parse_args()
    write = align if arguments.work == "align" else embed
    try:
        n = write(
            arguments.source,
            arguments.model,
            arguments.out,
            rows_per_part=arguments.rows_per_part,
            workers=arguments.workers,
            on_message=lambda line: print(line, file=sys.stderr),
        )
    except UnwarpError as error:
        sys.exit(f"unwarp: {error}")
    print(f"wrote {n:,} samples to {arguments.out}")


if __name__ == "__main__":
    main()

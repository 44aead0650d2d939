"""Results of a model for large collections, computed by Ray Data.

    align    aligned samples as a folder of shards
    embed    codes, clusters and deformations as a table in parts

`pip install 'unwarp[ray]'` installs Ray. Without a cluster the functions use the processors of this
computer; `RAY_ADDRESS` names a cluster. All computers must see the folders under the same paths.
"""

from __future__ import annotations

from unwarp.distributed.results import align, embed

__all__ = ["align", "embed"]

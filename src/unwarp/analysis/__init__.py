"""Analysis of trained models: embeddings, scores, and walks through the latent space."""

from __future__ import annotations

from unwarp.analysis.arithmetic import Arithmetic, arithmetic
from unwarp.analysis.embedding import Embedding, embed, encode
from unwarp.analysis.interpolation import interpolate, interpolate_chunks
from unwarp.analysis.scoring import Report, evaluate, score
from unwarp.analysis.traversal import traverse, traverse_deformation

__all__ = [
    "Arithmetic",
    "Embedding",
    "Report",
    "arithmetic",
    "embed",
    "encode",
    "evaluate",
    "interpolate",
    "interpolate_chunks",
    "score",
    "traverse",
    "traverse_deformation",
]

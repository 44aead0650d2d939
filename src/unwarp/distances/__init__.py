"""Elastic distances of series, on torch alone.

An elastic distance compares two series whose timing differs. `ADTW` and `MSM` are those of the
literature; `ValuesAndSlopes` is their sum over values and slopes, from which content codes of
series are made. All of them take tensors (N, C, T) and (M, C, S), with NaN for missing values, and
return the distances (N, M) of all pairs.
"""

from unwarp.distances.elastic import ADTW, MSM, ElasticDistance
from unwarp.distances.values_and_slopes import ValuesAndSlopes

__all__ = ["ADTW", "MSM", "ElasticDistance", "ValuesAndSlopes"]

"""The sets of recordings that `benchmarks.series` reads, by archive."""

from __future__ import annotations

UCR = (
    "ArrowHead", "BME", "Beef", "CBF", "Chinatown", "Coffee", "CricketX", "DistalPhalanxTW",
    "ECG200", "ECGFiveDays", "FaceFour", "GestureMidAirD1", "GesturePebbleZ1", "GunPoint",
    "GunPointAgeSpan", "ItalyPowerDemand", "Meat", "MedicalImages", "OSULeaf", "OliveOil",
    "PickupGestureWiimoteZ", "PowerCons", "ShapeletSim", "SmoothSubspace",
    "SonyAIBORobotSurface1", "SyntheticControl", "ToeSegmentation1", "Trace", "Wine",
)  # fmt: skip
UEA = ("ArticularyWordRecognition", "BasicMotions", "JapaneseVowels", "UWaveGestureLibrary")
SETS = (*(f"ucr/{name}" for name in UCR), *(f"uea/{name}" for name in UEA))

TUNED = (
    "ArrowHead",
    "Beef",
    "CBF",
    "Chinatown",
    "CricketX",
    "ECG200",
    "FaceFour",
    "GestureMidAirD1",
    "Meat",
    "PickupGestureWiimoteZ",
    "PowerCons",
    "SmoothSubspace",
    "SyntheticControl",
    "Trace",
    "Wine",
)
"""The random half of the sets on which the rule was set."""

OTHER = tuple(name for name in UCR if name not in TUNED)
"""The other half; its accuracies were seen, but set no number of `labels="choose"`."""

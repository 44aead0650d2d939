"""Poses of noisy pictures of few kinds, by a scan over all poses."""

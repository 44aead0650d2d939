"""The search for lags and tempos of series, against learned templates."""

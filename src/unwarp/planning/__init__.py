"""Plans for training: measured recipes, defaults from data, and overrides."""

"""What `auto` means: measured recipes, defaults by the data, and fields that a user sets."""

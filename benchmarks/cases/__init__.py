"""Collections of samples as people have them, with known deformations."""

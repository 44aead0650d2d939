"""Exchange of tensors between connected processes."""

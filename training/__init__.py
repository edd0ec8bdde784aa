"""Data sets, splits, metrics and the training of bundles."""

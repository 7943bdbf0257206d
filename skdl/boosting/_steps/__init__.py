"""Optimizers in function space: how far, and along what."""

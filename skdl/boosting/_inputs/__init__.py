"""From what users pass to `fit` to what training wants."""

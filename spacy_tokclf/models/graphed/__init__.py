"""Training steps of an encoder with its head on a GPU that are recorded once for each shape, and then played back."""

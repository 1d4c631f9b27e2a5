"""Bare torch loops, without texts and entities: an upper bound of any pipeline at the same precision and batches."""

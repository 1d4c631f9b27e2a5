"""Hugging Face checkpoints: fetched, loaded, and their heads."""

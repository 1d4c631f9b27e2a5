"""Data sets of Hugging Face's `datasets`: loaded by name or path, their rows as records."""

"""Fine-tune Hugging Face encoders for token classification inside spaCy."""

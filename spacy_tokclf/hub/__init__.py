"""The way to and from Hugging Face: their evaluator on our pipelines."""

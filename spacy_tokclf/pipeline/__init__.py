"""Components of spaCy pipelines, and what they put on a Doc."""

"""What `python -m bench gpu` runs: parts that share a few processes, since each takes seconds to import torch."""

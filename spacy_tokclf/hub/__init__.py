"""Push pipelines to the Hugging Face Hub, and evaluate them with Hugging Face's evaluator."""

from .push import push
from .tree import write_tree

__all__ = ["push", "write_tree"]

"""The way to Hugging Face: a pipeline to the Hub, and their evaluator on our pipelines."""

from .push import push
from .tree import write_tree

__all__ = ["push", "write_tree"]

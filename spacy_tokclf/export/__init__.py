"""Between our pipelines and Hugging Face checkpoints: import, export, and the outputs of `pipeline("ner")`."""

from .export_hf import export_hf
from .hf_entities import to_hf_entities
from .import_hf import import_hf

__all__ = ["export_hf", "import_hf", "to_hf_entities"]

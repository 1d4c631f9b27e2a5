"""Fine-tune Hugging Face encoders for token classification inside spaCy.

The components, architectures, optimizer and readers are found by spaCy through entry points, without an import. What is
named here is for programs: the score of an entity, colours of entity types, entities for displaCy, the device,
a pretrained encoder, and a training step.
"""

from importlib.metadata import version

from .models.hf.pretrained import PretrainedEncoder
from .pipeline.annotate import entity_score
from .report.colors import colors
from .report.displacy import displacy_ents
from .runtime.device import set_device
from .runtime.memory import tune_malloc
from .training.step import train_step

__version__ = version("spacy-tokclf")

__all__ = [
    "PretrainedEncoder",
    "__version__",
    "colors",
    "displacy_ents",
    "entity_score",
    "set_device",
    "train_step",
    "tune_malloc",
]

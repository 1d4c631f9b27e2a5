"""Train the project's configs in process, with tiny encoders and a few posts."""

import io
from functools import reduce
from importlib.util import find_spec
from operator import getitem
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import spacy
from pipeline_posts import read_posts
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from thinc.api import Config

from spacy_tokclf.corpus import doc_to_record, write_conll
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.models.shim import EncoderShim
from spacy_tokclf.pipeline.token_classifier import TokenClassifier
from spacy_tokclf.pipeline.transformer_encoder import TransformerEncoder
from spacy_tokclf.training.config import overridden

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "configs"
#: The config that needs an environment of its own.
ELSEWHERE = "wnut17_spacy_transformers"
#: Whether that environment is this one.
HAS_SPACY_TRANSFORMERS = getattr(find_spec("spacy_transformers"), "origin", None) is not None
NAMES = sorted(path.stem for path in FOLDER.glob("*.cfg") if path.stem != ELSEWHERE or HAS_SPACY_TRANSFORMERS)
#: Values that make the posts known after 20 steps.
FAST = {
    "training.optimizer.learn_rate.initial_rate": 0.003,
    "training.dropout": 0.0,
    "training.batcher.size": 16,
}


class Run(NamedTuple):
    """A finished training.

    nlp (Language): The pipeline as training left it.
    out (Path): The folder with model-best and model-last.
    log (str): What was printed.
    """

    nlp: Language
    out: Path
    log: str

    @property
    def best(self) -> Language:
        """The best pipeline, loaded."""
        return spacy.load(self.out / "model-best")

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the table of scores, by column."""
        lines = self.log.splitlines()
        header = next(line for line in lines if line.startswith("E "))
        names = [name.strip() for name in header.split("  ") if name.strip()]
        values = (line.split() for line in lines)
        return [dict(zip(names, cells, strict=True)) for cells in values if cells and cells[0].isdigit()]


def write_posts(folder: Path) -> Path:
    """Write the posts as CoNLL and as DocBin, gold tokens with unknown spaces.

    folder (Path): Where to.
    RETURNS (Path): The folder, with posts.conll and posts.spacy.
    """
    docs = [eg.reference for eg in read_posts(spacy.blank("en"))]
    DocBin(docs=docs).to_disk(folder / "posts.spacy")
    write_conll(map(doc_to_record, docs), folder / "posts.conll")
    return folder


def short(
    config: str | Path, data: Path, encoder: Path | str, *, steps: int = 20, evaluations: int = 2
) -> dict[str, Any]:
    """Give the overrides for a short training.

    config (str | Path): The config's name, or its path.
    data (Path): What `write_posts` gave.
    encoder (Path | str): The encoder's folder.
    steps (int): Number of steps.
    evaluations (int): Number of evaluations, beside the one before training.
    RETURNS (dict[str, Any]): Overrides of the config.
    """
    own = Path(config).stem == "own_data"
    suffix = "conll" if own else "spacy"
    length: dict[str, Any] = {"training.optimizer.learn_rate.warmup_steps": 1}
    if own:  # which says epochs, and a share of the steps
        length = {"initialize.after_init": None, "training.optimizer.learn_rate.warmup": 1 / steps}
    return {
        "paths.train": str(data / f"posts.{suffix}"),
        "paths.dev": str(data / f"posts.{suffix}"),
        "paths.encoder": str(encoder),
        "training.max_steps": steps,
        "training.eval_frequency": max(1, steps // evaluations),
        **length,
    }


def run(
    config: str | Path,
    out: Path,
    overrides: dict[str, Any],
    *,
    blocks: dict[str, Any] | None = None,
    whole: bool = False,
) -> Run:
    """Train as `spacy train` does.

    config (str | Path): The config's name, or its path.
    out (Path): The folder for the result.
    overrides (dict[str, Any]): Values to set in the config.
    blocks (dict[str, Any] | None): Blocks to put in the place of those of the same name, or to add.
    whole (bool): Whether to train with all that a recipe has, also what a short training of a random encoder is no
        match for.
    RETURNS (Run): The finished training.
    """
    path = Path(config) if Path(config).suffix else FOLDER / f"{config}.cfg"
    settings = load_config(path, interpolate=False)
    if not whole:
        _make_easy(settings)
    for key, block in (blocks or {}).items():
        *sections, last = key.split(".")
        reduce(getitem, sections, settings)[last] = block
    settings = overridden(settings, overrides)
    nlp = init_nlp(settings)
    out.mkdir(parents=True, exist_ok=True)
    log = io.StringIO()
    train(nlp, out, stdout=log, stderr=log)
    return Run(nlp, out, log.getvalue())


def _make_easy(settings: Config) -> None:
    """Leave out averages, which stay behind at first, copies, which are posts of their own, and frozen embeddings."""
    settings["training"]["optimizer"]["use_averages"] = False
    if "augmenter" in settings["corpora"]["train"]:
        settings["corpora"]["train"]["augmenter"] = None
    for component in settings["components"].values():
        model = component.get("model", {})
        for layer in (model, model.get("tok2vec", {})):
            if "freeze_embeddings" in layer:
                layer["freeze_embeddings"] = False


def encoder_of(nlp: Language) -> EncoderShim:
    """Give the shim that holds a pipeline's encoder."""
    models = [pipe.model for _, pipe in nlp.pipeline if isinstance(pipe, TrainablePipe)]
    (node,) = [node for model in models for node in encoder_nodes(model)]
    return node.shims[0]


def weights_of(nlp: Language) -> dict[str, np.ndarray]:
    """Give a copy of all weights of our components, encoders and classifiers, by name."""
    found = {}
    for name, pipe in nlp.pipeline:
        if isinstance(pipe, TransformerEncoder | TokenClassifier):
            for node in encoder_nodes(pipe.model):
                for key, tensor in node.shims[0].module.state_dict().items():
                    found[f"{name}.{key}"] = tensor.numpy().copy()
        if isinstance(pipe, TokenClassifier):
            layer = pipe.model.get_ref("output_layer")
            found |= {f"{name}.output.{key}": layer.get_param(key).copy() for key in ("W", "b")}
    return found


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    """Tell whether weights are equal to the last bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)

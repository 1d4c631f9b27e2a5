"""What a model card can say of a pipeline: collected from its meta.json, its config and itself."""

import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import walk_dict

from ..models.shim import TOKENIZER_CONFIG
from ..pipeline.token_classifier import TokenClassifier
from .wheel import requirements_of

#: Names of scores on the Hub -> keys of spaCy's.
SCORES = {"precision": "ents_p", "recall": "ents_r", "f1": "ents_f", "accuracy": "seqeval_accuracy"}
N_EXAMPLES = 3
#: Examples are chosen among so many texts, of so many characters if possible.
N_TRIED, SHORT = 200, 300
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_HUB_URL = re.compile(r"https://huggingface\.co/(datasets/)?([\w.-]+/[\w.-]+)/?", re.ASCII)


class CardFacts(NamedTuple):
    """What is known of a pipeline that is pushed.

    nlp (Language): The pipeline.
    pipe (TokenClassifier | None): The component that the card speaks of.
    repo (str): The repository.
    revision (str | None): Its branch.
    wheel (str): Name of the wheel.
    requires (list[str]): What the wheel requires.
    checkpoint (dict[str, Any]): The `tokenizer_config.json` of the checkpoint, empty if there is none.
    license_file (bool): Whether the licence lies in the repository.
    scores (dict[str, float]): Scores on the development data, under the names of SCORES.
    per_type (dict[str, dict[str, float]]): Precision, recall and F1 (p, r, f) by type.
    datasets (list[str]): Names of the training data on the Hub.
    base_model (str | None): Name of the encoder on the Hub.
    examples (list[Doc]): Texts with what the pipeline finds in them, those first in which it finds most.
    own_examples (bool): Whether they are texts of whoever pushes it.
    """

    nlp: Language
    pipe: TokenClassifier | None
    repo: str
    revision: str | None
    wheel: str
    requires: list[str]
    checkpoint: dict[str, Any]
    license_file: bool
    scores: dict[str, float]
    per_type: dict[str, dict[str, float]]
    datasets: list[str]
    base_model: str | None
    examples: list[Doc]
    own_examples: bool

    @property
    def title(self) -> str:
        """RETURNS (str): Name of the repository, without its owner."""
        return self.repo.split("/")[1]

    @property
    def lang(self) -> str:
        """RETURNS (str): Code of the pipeline's language."""
        return str(self.nlp.lang)

    @property
    def package(self) -> tuple[str, str]:
        """RETURNS (tuple[str, str]): Name and version of the wheel."""
        name, version = self.wheel.split("-")[:2]
        return name, version

    @property
    def labels(self) -> list[str]:
        """RETURNS (list[str]): The entity types."""
        if self.pipe is not None:
            return list(self.pipe.labels)
        return sorted({label for labels in self.nlp.pipe_labels.values() for label in labels})


def collect_facts(
    nlp: Language,
    folder: Path,
    repo: str,
    *,
    component: str | None = None,
    revision: str | None = None,
    examples: Sequence[str] = (),
) -> CardFacts:
    """Collect the facts.

    nlp (Language): The pipeline.
    folder (Path): What is pushed, less the card.
    repo (str): The repository.
    component (str | None): The `token_classifier`, if there are several.
    revision (str | None): The branch.
    examples (Sequence[str]): Texts to choose the examples from, which are published with the card; spaCy's own for the
        language if there are none.
    RETURNS (CardFacts): The facts.
    """
    pipes = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)}
    pipe = pipes.get(component) if component is not None else next(iter(pipes.values()), None)
    prefix = getattr(pipe and pipe.scorer, "score_prefix", "")
    measured = nlp.meta.get("performance") or {}
    config = folder / TOKENIZER_CONFIG
    trained = nlp.config.interpolate()
    sources = [_HUB_URL.fullmatch(source.get("url") or "") for source in nlp.meta.get("sources") or []]
    from_sources = {bool(found[1]): found[2] for found in reversed(sources) if found}
    base_model = _hub_name(trained["initialize"], "@misc", "spacy-tokclf.PretrainedEncoder.v1", "name")
    dataset = _hub_name(trained.get("corpora", {}), "@readers", "spacy-tokclf.HFDataset.v1", "path")
    dataset = dataset or from_sources.get(True)
    wheel = next(folder.glob("*.whl"))
    return CardFacts(
        nlp=nlp,
        pipe=pipe,
        repo=repo,
        revision=revision,
        wheel=wheel.name,
        requires=requirements_of(wheel),
        checkpoint=srsly.read_json(config) if config.is_file() else {},
        license_file=(folder / "LICENSE").is_file(),
        scores={name: measured[prefix + key] for name, key in SCORES.items() if measured.get(prefix + key) is not None},
        per_type=measured.get(f"{prefix}ents_per_type") or {},
        datasets=[dataset] if dataset else [],
        base_model=base_model or from_sources.get(False),
        examples=_examples(nlp, examples or _sentences(str(nlp.lang))),
        own_examples=bool(examples),
    )


def _hub_name(config: dict[str, Any], registry: str, function: str, argument: str) -> str | None:
    """Find what a registered function in a config is given, if it can be a name on the Hub and no path of this
    machine."""
    for keys, value in walk_dict(config):
        if keys[-1] == registry and value == function:
            block = config
            for key in keys[:-1]:
                block = block[key]
            name = block.get(argument)
            if isinstance(name, str) and _HUB_NAME.fullmatch(name) and not Path(name).exists():
                return name
    return None


def _sentences(lang: str) -> Sequence[str]:
    """Give spaCy's own example sentences of a language, if it has any."""
    try:
        return list(importlib.import_module(f"spacy.lang.{lang}.examples").sentences)
    except ImportError:
        return []


def _examples(nlp: Language, texts: Sequence[str]) -> list[Doc]:
    """Annotate texts, short ones first, and choose those with most types, and most entities."""
    short_first = sorted(dict.fromkeys(texts), key=lambda text: len(text) > SHORT)
    docs = list(nlp.pipe(short_first[:N_TRIED]))
    docs.sort(key=lambda doc: (len({ent.label for ent in doc.ents}), len(doc.ents)), reverse=True)
    return docs[:N_EXAMPLES]

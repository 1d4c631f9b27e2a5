"""What stands on a model card beside the plain facts: code to copy, tables, and what is still to be filled in."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from spacy.util import get_lang_class
from thinc.api import Config

from ..models.shim import EncoderShim
from ..pipeline.annotate import entity_score
from ..pipeline.lookup import find_encoder
from ..runtime.blame import without_credentials
from .card_facts import CardFacts

#: Settings of `[training]` that make a difference to the result and name no file.
TRAINING = ("seed", "max_epochs", "max_steps", "patience", "eval_frequency", "dropout", "accumulate_gradient")
BLOCKS = ("batcher", "optimizer")
#: What scores are called in the text.
SCORED = {"precision": "precision", "recall": "recall", "f1": "F1", "accuracy": "token accuracy"}


def card_values(facts: CardFacts) -> dict[str, Any]:
    """Collect what the template of the card shows. Nothing in it is escaped yet.

    facts (CardFacts): What is known of the pipeline.
    RETURNS (dict[str, Any]): Texts, lines of code and tables, by the names of the template.
    """
    use, printed = _with_spacy(facts)
    branch = f" --revision {facts.revision}" if facts.revision else ""
    return {
        "facts": facts,
        "language": "multilingual" if facts.lang == "xx" else get_lang_class(facts.lang).__name__,
        "encoder": _encoder(facts),
        "notes": [part for part in re.split(r"\n\s*\n", facts.nlp.meta.get("notes") or "") if part.strip()],
        "missing": list(_missing(facts)),
        "url": file_url(facts.repo, facts.wheel, revision=facts.revision),
        "download": f"hf download {facts.repo} {facts.wheel}{branch} --local-dir .",
        "use": use,
        "printed": printed,
        "transformers": _with_transformers(facts),
        "again": f"python -m spacy tokclf import-hf {facts.repo} OUT{branch}",
        "scored": SCORED,
        "tuned": facts.pipe is not None and facts.pipe.cfg["tuned"] and facts.pipe.cfg["tuning"] is not None,
        "training": _training(facts),
    }


def file_url(repo: str, name: str, *, revision: str | None = None) -> str:
    """Give the address of a file in a repository of the Hub.

    repo (str): The repository, USER/NAME.
    name (str): The file.
    revision (str | None): Branch, tag or commit; main if not given.
    RETURNS (str): The address.
    """
    from huggingface_hub import constants

    return (
        f"{without_credentials(constants.ENDPOINT)}/{repo}/resolve/{quote(revision or 'main', safe='')}/{quote(name)}"
    )


def _missing(facts: CardFacts) -> Iterator[tuple[str, str]]:
    """List what the pipeline does not say, and the key of meta.json that would say it."""
    meta = facts.nlp.meta
    if not (meta.get("description") or "").strip():
        yield "What the model is for", "description"
    if not (meta.get("license") or "").strip():
        yield "The licence of the model", "license"
    if not (meta.get("author") or "").strip():
        yield "Who made it", "author"
    if not meta.get("sources"):
        yield "The data and the encoder that it was made of, each with its licence", "sources"
    if not (meta.get("notes") or "").strip():
        yield "What it should not be used for, whose texts it was tried on, and known weaknesses", "notes"


def _encoder(facts: CardFacts) -> dict[str, Any] | None:
    node = find_encoder(facts.pipe.model, facts.nlp, facts.pipe.name) if facts.pipe is not None else None
    shim = node.shims[0] if node is not None else None
    if not isinstance(shim, EncoderShim) or not shim.is_filled:
        return None
    size = sum(value.numel() for value in shim.module.parameters())
    return {"model_type": shim.config["model_type"], "parameters": size}


def _with_spacy(facts: CardFacts) -> tuple[list[str], list[str]]:
    """Write the code that annotates an example, and what it prints."""
    doc = facts.examples[0] if facts.examples else facts.nlp.make_doc("...")
    scores = [entity_score(ent) for ent in doc.ents]
    code = [
        "import spacy",
        "",
        f'nlp = spacy.load("{facts.package[0]}")',
        f"doc = nlp({doc.text!r})",
        "for ent in doc.ents:",
    ]
    if facts.pipe is not None and None not in scores:  # else entities of other components are among them
        code.insert(1, "from spacy_tokclf import entity_score")
        code.append("    print(ent.text, ent.label_, round(entity_score(ent), 2))")
        shown = [f" {round(score, 2)}" for score in scores if score is not None]
    else:
        code.append("    print(ent.text, ent.label_)")
        shown = [""] * len(doc.ents)
    return code, [f"{ent.text} {ent.label_}{score}" for ent, score in zip(doc.ents, shown, strict=True)]


def _with_transformers(facts: CardFacts) -> list[str]:
    branch = f', revision="{facts.revision}"' if facts.revision else ""
    text = facts.examples[0].text if facts.examples else "..."
    call = f'ner = pipeline("ner", model="{facts.repo}"{branch}, aggregation_strategy="simple")'
    return ["from transformers import pipeline", "", call, f"print(ner({text!r}))"]


def _training(facts: CardFacts) -> list[str]:
    """Write down the hyperparameters of a pipeline that `spacy train` made."""
    if not facts.scores:
        return []
    training = facts.nlp.config.interpolate()["training"]
    chosen = {key: training[key] for key in (*TRAINING, *BLOCKS) if key in training}
    return Config({"training": chosen}).to_str().splitlines()

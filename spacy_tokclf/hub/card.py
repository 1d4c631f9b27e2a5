"""Write the model card: the metadata that the Hugging Face Hub reads, in front of the text for people."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .card_facts import CardFacts
from .card_text import card_values
from .markdown import environment

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

CARD = "README.md"
TEMPLATE = "card.md.jinja"
SHOWN = {
    "precision": "Entity precision",
    "recall": "Entity recall",
    "f1": "Entity F1",
    "accuracy": "Token accuracy",
}
#: Languages that spaCy and the Hub call by different names.
LANGUAGES = {"xx": "multilingual"}
#: Licences by the names that the Hub knows; any other is "other".
_KNOWN = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsl-1.0 cc-by-2.0 cc-by-3.0 cc-by-4.0 cc-by-nc-3.0
cc-by-nc-4.0 cc-by-nc-nd-4.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 ecl-2.0
epl-2.0 eupl-1.1 eupl-1.2 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 mit mpl-2.0 odbl openrail pddl unlicense wtfpl zlib
"""
LICENSES = frozenset(_KNOWN.split())


def write_card(facts: CardFacts, folder: Path) -> None:
    """Write the card of a repository.

    facts (CardFacts): What is known of the pipeline.
    folder (Path): The folder of the repository.
    """
    template = environment(__package__).get_template(TEMPLATE)
    page = template.render(metadata=card_metadata(facts).to_yaml(), **card_values(facts))
    (folder / CARD).write_text(page, encoding="utf-8", newline="\n")


def card_metadata(facts: CardFacts) -> "ModelCardData":
    """Say what the Hub shows, filters by and compares.

    facts (CardFacts): What is known of the pipeline.
    RETURNS (ModelCardData): The metadata of the card.
    """
    from huggingface_hub import ModelCardData

    return ModelCardData(
        language=[LANGUAGES.get(facts.lang, facts.lang)],
        library_name="transformers" if facts.checkpoint else "spacy",
        pipeline_tag="token-classification",
        tags=["spacy", "token-classification", "named-entity-recognition", "spacy-tokclf"],
        base_model=facts.base_model,
        datasets=facts.datasets or None,
        metrics=list(facts.scores) or None,
        model_name=facts.title if facts.scores else None,
        eval_results=_results(facts) or None,
        widget=[{"text": doc.text} for doc in facts.examples],
        **_license(facts),
    )


def _license(facts: CardFacts) -> dict[str, Any]:
    """Translate the licence; one that the Hub does not know needs a name and an address there."""
    stated = (facts.nlp.meta.get("license") or "").strip()
    if not stated:
        return {}
    name = re.sub(r"[\s_]+", "-", stated.lower()).removeprefix("gnu-")
    if name in LICENSES:
        return {"license": name}
    return {"license": "other", "license_name": name, "license_link": "LICENSE" if facts.license_file else CARD}


def _results(facts: CardFacts) -> "list[EvalResult]":
    """Give the scores in the form of the Hub."""
    from huggingface_hub import EvalResult

    dataset = facts.datasets[0] if facts.datasets else "unknown"
    return [
        EvalResult(
            task_type="token-classification",
            task_name="Named-entity recognition",
            dataset_type=dataset,
            dataset_name=dataset if facts.datasets else "development data",
            dataset_split="validation",
            metric_type=score,
            metric_name=SHOWN[score],
            metric_value=round(value, 4),
        )
        for score, value in facts.scores.items()
    ]

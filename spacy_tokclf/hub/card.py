"""Write the model card: the metadata that the Hugging Face Hub reads, in front of the text for people."""

import re
from pathlib import Path
from typing import Any

from .card_facts import CardFacts
from .card_text import card_text

CARD = "README.md"
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
    from huggingface_hub.utils import yaml_dump

    metadata = yaml_dump(card_metadata(facts), sort_keys=False)
    (folder / CARD).write_text(f"---\n{metadata}---\n\n{card_text(facts)}", encoding="utf-8")


def card_metadata(facts: CardFacts) -> dict[str, Any]:
    """Say what the Hub shows, filters by and compares.

    facts (CardFacts): What is known of the pipeline.
    RETURNS (dict[str, Any]): The metadata of the card.
    """
    metadata: dict[str, Any] = {
        "language": [LANGUAGES.get(facts.lang, facts.lang)],
        **_license(facts),
        "library_name": "transformers" if facts.checkpoint else "spacy",
        "pipeline_tag": "token-classification",
        "tags": ["spacy", "token-classification", "named-entity-recognition", "spacy-tokclf"],
    }
    if facts.base_model:
        metadata["base_model"] = facts.base_model
    if facts.datasets:
        metadata["datasets"] = facts.datasets
    if facts.scores:
        metadata["metrics"] = list(facts.scores)
    metadata["widget"] = [{"text": doc.text} for doc in facts.examples]
    if facts.scores:
        metadata["model-index"] = [{"name": facts.package[0], "results": [_result(facts)]}]
    return metadata


def _license(facts: CardFacts) -> dict[str, str]:
    """Translate the licence; one that the Hub does not know needs a name and an address there."""
    stated = (facts.nlp.meta.get("license") or "").strip()
    if not stated:
        return {}
    name = re.sub(r"[\s_]+", "-", stated.lower()).removeprefix("gnu-")
    if name in LICENSES:
        return {"license": name}
    return {"license": "other", "license_name": name, "license_link": "LICENSE" if facts.license_file else CARD}


def _result(facts: CardFacts) -> dict[str, Any]:
    """Give the scores in the form of a `model-index`."""
    dataset = facts.datasets[0] if facts.datasets else "unknown"
    name = dataset if facts.datasets else "development data"
    metrics = [{"type": score, "name": SHOWN[score], "value": round(value, 4)} for score, value in facts.scores.items()]
    return {
        "task": {"type": "token-classification", "name": "Named-entity recognition"},
        "dataset": {"type": dataset, "name": name, "split": "validation"},
        "metrics": metrics,
    }

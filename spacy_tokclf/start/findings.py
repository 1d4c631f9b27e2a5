"""The checks of `spacy tokclf debug` and `init`: facts of the data to errors and warnings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.convert import read_any
from ..corpus.data_facts import DataFacts, data_facts
from ..corpus.label_warnings import labels_alike, labels_like_tags
from ..corpus.offset_report import OffsetReport
from ..corpus.options import ReadOptions
from ..runtime.progress import progress

if TYPE_CHECKING:
    from .pieces import PieceFacts

EXAMPLES = 5
FEW = 10
MANY_UNKNOWN = 0.05
HIGH_RATE = 5e-4


@dataclass(frozen=True)
class Part:
    """One part of the data.

    docs (list[Doc]): Its Docs.
    facts (DataFacts): What they hold.
    report (OffsetReport): What happened to spans of characters when they were read.
    """

    docs: list[Doc]
    facts: DataFacts
    report: OffsetReport

    @property
    def summary(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): The counts, ready for JSON."""
        facts = self.facts
        lists = ("unannotated", "misaligned", "blank_ends", "repeated", "contradictory")
        return {
            "texts": facts.texts,
            "tokens": facts.tokens,
            "missing": facts.missing,
            "empty": facts.empty,
            "without_entities": facts.without_entities,
            "entities": facts.entities.total(),
            "entities_per_type": dict(sorted(facts.entities.items())),
            **{name: len(getattr(facts, name)) for name in lists},
            "offsets": dict(self.report.counts),
        }


@dataclass
class Findings:
    """Errors, which training could not work with, and warnings.

    errors, warnings (list[str]): The texts.
    examples (int): How many examples each of them has at most.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    examples: int = EXAMPLES

    def error(self, text: str, examples: Sequence[str] = ()) -> None:
        """Add an error, with its first examples."""
        self.errors.append(self._with_examples(text, examples))

    def warn(self, text: str, examples: Sequence[str] = ()) -> None:
        """Add a warning, with its first examples."""
        self.warnings.append(self._with_examples(text, examples))

    def _with_examples(self, text: str, examples: Sequence[str]) -> str:
        """Write the first examples behind a finding."""
        shown = "; ".join(map(str, examples[: self.examples]))
        return f"{text}: {shown}{'; ...' if len(examples) > self.examples else ''}" if examples else text


def read_part(path: str, nlp: Language, options: ReadOptions) -> Part:
    """Read a part of the data.

    path (str): The data, in any form.
    nlp (Language): Whose tokenizer is used.
    options (ReadOptions): How to read it.
    RETURNS (Part): The part.
    RAISES (ValueError): TC1xx, if it cannot be read.
    """
    report = OffsetReport()
    docs = list(progress(read_any(path, nlp, options, report=report), label="Reading"))
    return Part(docs, data_facts(progress(docs, label="Checking"), nlp), report)


def check_parts(parts: dict[str, Part], findings: Findings) -> None:
    """Look at train and dev, and at both together.

    parts (dict[str, Part]): By name: what is trained on first, and perhaps "dev".
    findings (Findings): Gets what is found.
    """
    for split, part in parts.items():
        _check_part(split, part, findings)
    name, train = next((name, part.facts) for name, part in parts.items())
    few = sorted(f"{label} ({count})" for label, count in train.entities.items() if count < FEW)
    if few:
        findings.warn(f"{name}: {len(few)} type(s) with fewer than {FEW} entities", few)
    if "dev" not in parts:
        return
    dev = parts["dev"].facts
    new = sorted(set(dev.entities) - set(train.entities))
    if new:
        findings.warn(f"dev: {len(new)} type(s) that train does not have: no model can find them", new)
    shared = dev.shared_with(train)
    if shared:
        findings.warn(f"{len(shared)} of {len(dev.texts_seen)} texts of dev are in train too: scores flatter", shared)


def _check_part(split: str, part: Part, findings: Findings) -> None:
    """Look at one part."""
    facts, counts = part.facts, part.report.counts
    if not facts.texts:
        findings.error(f"{split}: no text at all")
    elif not facts.entities:
        findings.error(f"{split}: not one entity. Check the tag column, or the key that holds the spans")
    if counts["overlap"]:
        text = f"{split}: {counts['overlap']} span(s) overlap another, which training refuses unless told which to keep"
        findings.error(text, part.report.examples_of("overlap"))
    for kind in ("mask", "unread", "parts", "trim", "blank", "passed"):
        if counts[kind]:
            findings.warn(f"{split}: {part.report.says(kind)}", part.report.examples_of(kind))
    if tags := labels_like_tags(part.report.labels):
        findings.warn(f"{split}: labels of spans that look like tags of tokens", tags)
    if alike := labels_alike(facts.entities):
        findings.warn(
            f"{split}: labels that differ in white space at their ends only", [repr(label) for label in alike]
        )
    for places, says in (
        (facts.misaligned, "entities that do not fit the tokens the pipeline makes of the text"),
        (facts.blank_ends, "entities that begin or end with white space"),
        (facts.unannotated, "texts without any annotation, which teach nothing"),
        (facts.contradictory, "texts that repeat an earlier one, with other entities"),
    ):
        if places:
            findings.warn(f"{split}: {len(places)} {says}", places)
    if len(facts.repeated) > len(facts.contradictory):
        findings.warn(f"{split}: {len(facts.repeated)} of {facts.texts} texts repeat an earlier one", facts.repeated)


def check_pieces(facts: "PieceFacts", findings: Findings) -> None:
    """Look at what the encoder will see.

    facts (PieceFacts): The counts.
    findings (Findings): Gets what is found.
    """
    share = facts.share_unknown
    if share > MANY_UNKNOWN:
        findings.warn(f"{100 * share:.1f} % of the word pieces are unknown: is this encoder for this language?")
    if facts.n_unseen:
        findings.warn(
            f"{facts.n_unseen} word(s) have no piece, so the encoder sees nothing of them",
            list(map(ascii, facts.unseen_words)),
        )
    if facts.n_long:
        text = f"{facts.n_long} word(s) have more pieces than a window of {facts.window} and are seen in part"
        findings.warn(text, [word[:40] for word in facts.long_words])


def check_config(settings: dict[str, Any], findings: Findings) -> None:
    """Look at the learning rate of a config.

    settings (dict[str, Any]): The training config.
    findings (Findings): Gets what is found.
    """
    optimizer = settings.get("training", {}).get("optimizer")
    rate = optimizer.get("learn_rate") if isinstance(optimizer, dict) else None
    if isinstance(rate, dict):
        rate = rate.get("initial_rate", rate.get("max_rate"))
    if isinstance(rate, int | float) and rate > HIGH_RATE:
        findings.warn(f"training.optimizer.learn_rate is {rate}; an encoder is fine-tuned at 1e-5 to {HIGH_RATE:g}")

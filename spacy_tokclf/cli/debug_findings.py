"""The checks of `spacy tokclf debug`: facts of the data to errors and warnings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasabi import msg

from ..corpus.label_warnings import labels_alike, labels_like_tags

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from ..corpus.data_facts import DataFacts
    from ..corpus.offset_report import OffsetReport
    from .debug_encoder import PieceFacts

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

    docs: "list[Doc]"
    facts: "DataFacts"
    report: "OffsetReport"

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
    """Errors, which training could not work with, and warnings."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def error(self, text: str, examples: Sequence[str] = ()) -> None:
        """Add an error, with its first examples."""
        self.errors.append(_with_examples(text, examples))

    def warn(self, text: str, examples: Sequence[str] = ()) -> None:
        """Add a warning, with its first examples."""
        self.warnings.append(_with_examples(text, examples))

    def show(self) -> None:
        """Print them."""
        msg.divider("Findings")
        for text in self.errors:
            msg.fail(text)
        for text in self.warnings:
            msg.warn(text)
        if not self.errors and not self.warnings:
            msg.good("Nothing to object to")


def check_parts(parts: dict[str, Part], findings: Findings) -> None:
    """Look at train and dev, and at both together.

    parts (dict[str, Part]): "train", and perhaps "dev".
    findings (Findings): Gets what is found.
    """
    for split, part in parts.items():
        _check_part(split, part, findings)
    train = parts["train"].facts
    few = sorted(f"{label} ({count})" for label, count in train.entities.items() if count < FEW)
    if few:
        findings.warn(f"train: {len(few)} type(s) with fewer than {FEW} entities", few)
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
        (facts.contradictory, "texts that stood before with other entities"),
    ):
        if places:
            findings.warn(f"{split}: {len(places)} {says}", places)
    if len(facts.repeated) > len(facts.contradictory):
        findings.warn(f"{split}: {len(facts.repeated)} of {facts.texts} texts that stood before", facts.repeated)


def check_pieces(facts: "PieceFacts", findings: Findings) -> None:
    """Print what the encoder will see, and look at it.

    facts (PieceFacts): The counts.
    findings (Findings): Gets what is found.
    """
    share = facts.unknown / facts.pieces if facts.pieces else 0.0
    msg.text(
        f"{facts.pieces} word pieces, {100 * share:.2f} % unknown; {facts.n_unseen} word(s) without any; longest text "
        f"{facts.longest} pieces; {facts.long_texts} text(s) take more than one window of {facts.window}"
    )
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


def _with_examples(text: str, examples: Sequence[str]) -> str:
    """Write the first examples behind a finding."""
    shown = "; ".join(map(str, examples[:EXAMPLES]))
    return f"{text}: {shown}{'; ...' if len(examples) > EXAMPLES else ''}" if examples else text

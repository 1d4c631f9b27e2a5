"""What happened to the spans of a corpus on their way to tokens: counted, and said once."""

import warnings
from collections import Counter

from spacy.tokens import Doc

from ..errors import Errors, Warnings
from .label_warnings import warn_of_labels
from .records import CharSpan, TextRecord

_EXAMPLES = 5
_KINDS = 8
# In the order in which they are said; the first two are worth most as examples.
_SAYS = {
    "mask": "{count} of {spans} spans do not fit the tokens, which they touch in part, and are masked",
    "unread": "{count} marks are no entities that could be learned ({unread}); what they cover has no gold",
    "expand": "{count} of {spans} spans did not fit the tokens and were expanded to whole tokens",
    "contract": "{count} of {spans} spans did not fit the tokens and were contracted to whole tokens",
    "overlap": "{count} of {spans} spans overlapped another and were dropped; what they alone covered has no gold",
    "parts": "{count} of {spans} spans are in several parts, of which one was kept; what the others cover has no gold",
    "blank": "{count} of {spans} spans held white space only and were dropped",
    "trim": "{count} of {spans} spans began or ended with white space, which was trimmed",
    "unannotated": "{count} of {texts} texts have no annotation and no gold",
    "several": "{count} of {texts} texts have several annotations, one of which was read",
    "passed": "{count} things that are no marks on the text were passed over ({passed})",
}


class OffsetReport:
    """Counts over one corpus, with up to five examples."""

    def __init__(self) -> None:
        """Start at zero."""
        self.texts = 0
        self.spans = 0
        self.counts: Counter[str] = Counter()
        self.labels: set[str] = set()
        self._why: dict[str, Counter[str]] = {"unread": Counter(), "passed": Counter()}
        self._known = False  # whether any token has gold
        self._examples: dict[str, list[str]] = {}

    def add_text(self, record: TextRecord) -> None:
        """Count one text, and what is marked in it and cannot be learned.

        record (TextRecord): The text.
        """
        self.texts += 1
        self.spans += len(record.spans)
        self.labels.update(label for _, _, label in record.spans)
        if record.annotations != 1:
            self.counts["several" if record.annotations else "unannotated"] += 1
        for why, place in record.marks:
            kind = "passed" if place is None else "unread"
            self.counts[kind] += 1
            self._why[kind][why] += 1
            if place is not None:
                self._exemplify(kind, f"{record.where} {record.show((*place, why))}")

    def add_doc(self, doc: Doc) -> None:
        """Take note of whether there is any gold.

        doc (Doc): What became of a text.
        """
        self._known = self._known or any(token.ent_iob for token in doc)

    def add(self, kind: str, record: TextRecord, span: CharSpan) -> None:
        """Count one span.

        kind (str): What happened to it: "mask", "expand", "contract", "overlap", "parts", "blank" or "trim".
        record (TextRecord): Its text.
        span (tuple[int, int, str]): The span.
        """
        self.counts[kind] += 1
        self._exemplify(kind, f"{record.where} {record.show(span)}")

    @property
    def said(self) -> list[str]:
        """What happened, a line for each kind."""
        return [self.says(kind) for kind in _SAYS if self.counts[kind]]

    def says(self, kind: str) -> str:
        """Say what happened.

        kind (str): A kind, as for `add`; or "unread", "unannotated", "several" or "passed".
        RETURNS (str): One line.
        """
        why = {
            name: ", ".join(f"{what}: {count}" for what, count in counts.most_common(_KINDS))
            for name, counts in self._why.items()
        }
        return _SAYS[kind].format(count=self.counts[kind], spans=self.spans, texts=self.texts, **why)

    @property
    def examples(self) -> list[str]:
        """Up to five spans, those first that do not fit the tokens."""
        return [example for kind in _SAYS for example in self._examples.get(kind, [])][:_EXAMPLES]

    def examples_of(self, kind: str) -> list[str]:
        """Give the examples of one kind.

        kind (str): As for add, or "unread": what is marked and cannot be learned.
        RETURNS (list[str]): Up to five.
        """
        return self._examples.get(kind, [])

    def check(self, name: str) -> None:
        """Refuse a corpus that has texts, and nothing that could be learned: nobody annotated them, or nothing of what
        is marked can be used.

        name (str): The corpus.
        RAISES (ValueError): TC174.
        """
        if self._known or not (self.counts["unread"] or self.counts["unannotated"]):
            return
        hint = "; to read what a model predicted, ask for `predictions`" if self._why["unread"]["prediction"] else ""
        raise ValueError(Errors.TC174.format(path=name, texts=self.texts, facts="; ".join(self.said), hint=hint))

    def warn(self, name: str) -> None:
        """Warn (TW110) of what happened, if anything did, and of labels that are probably wrong (TW120, TW121).

        name (str): The corpus.
        """
        warn_of_labels(self.labels, name, of_spans=True)
        if not self.counts:
            return
        examples = f" For example: {'; '.join(self.examples)}." if self.examples else ""
        warnings.warn(Warnings.TW110.format(path=name, facts="; ".join(self.said), examples=examples), stacklevel=3)

    def _exemplify(self, kind: str, example: str) -> None:
        """Keep one of the first examples of a kind."""
        examples = self._examples.setdefault(kind, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)

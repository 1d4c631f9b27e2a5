"""What happened to the spans of a corpus on their way to tokens: counted, and said once."""

import warnings
from collections import Counter

from ..errors import Warnings
from .records import CharSpan, TextRecord

_EXAMPLES = 5
# In the order in which they are said; the first two are worth most as examples.
_SAYS = {
    "mask": "{count} of {spans} spans do not fit the tokens, which they touch in part, and are masked",
    "expand": "{count} of {spans} spans did not fit the tokens and were expanded to whole tokens",
    "contract": "{count} of {spans} spans did not fit the tokens and were contracted to whole tokens",
    "overlap": "{count} of {spans} spans overlapped another and were dropped; what they alone covered has no gold",
    "parts": "{count} of {spans} spans are in several parts, of which one was kept; what the others cover has no gold",
    "blank": "{count} of {spans} spans held white space only and were dropped",
    "trim": "{count} of {spans} spans began or ended with white space, which was trimmed",
    "unannotated": "{count} of {texts} texts have no annotation and no gold",
    "several": "{count} of {texts} texts have several annotations, the ground truth or else the first was read",
}


class OffsetReport:
    """Counts over one corpus, with up to five examples."""

    def __init__(self) -> None:
        """Start at zero."""
        self.texts = 0
        self.spans = 0
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add_text(self, record: TextRecord) -> None:
        """Count one text.

        record (TextRecord): The text.
        """
        self.texts += 1
        self.spans += len(record.spans)
        if record.annotations != 1:
            self.counts["several" if record.annotations else "unannotated"] += 1

    def add(self, kind: str, record: TextRecord, span: CharSpan) -> None:
        """Count one span.

        kind (str): What happened to it: "mask", "expand", "contract", "overlap", "parts", "blank" or "trim".
        record (TextRecord): Its text.
        span (tuple[int, int, str]): The span.
        """
        self.counts[kind] += 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < _EXAMPLES:
            examples.append(f"{record.where} {record.show(span)}")

    @property
    def said(self) -> list[str]:
        """What happened, a line for each kind."""
        facts = {"spans": self.spans, "texts": self.texts}
        return [says.format(count=self.counts[kind], **facts) for kind, says in _SAYS.items() if self.counts[kind]]

    @property
    def examples(self) -> list[str]:
        """Up to five spans, those first that do not fit the tokens."""
        return [example for kind in _SAYS for example in self._examples.get(kind, [])][:_EXAMPLES]

    def examples_of(self, kind: str) -> list[str]:
        """Give the examples of one kind.

        kind (str): As for add.
        RETURNS (list[str]): Up to five.
        """
        return self._examples.get(kind, [])

    def warn(self, name: str) -> None:
        """Warn (TW110) of what happened, if anything did.

        name (str): The corpus.
        """
        if not self.counts:
            return
        examples = f" For example: {'; '.join(self.examples)}." if self.examples else ""
        warnings.warn(Warnings.TW110.format(path=name, facts="; ".join(self.said), examples=examples), stacklevel=3)

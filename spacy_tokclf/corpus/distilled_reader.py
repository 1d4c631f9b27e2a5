"""The reader "spacy-tokclf.Distilled.v1": gold texts with what teachers say of them, and texts without gold."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors
from ..runtime.random_state import seeded
from .docs import bare_copy
from .examples import AugmenterT, CorpusT
from .folds import letters
from .soft_store import SoftStore, read_store, read_texts, text_hash
from .soft_targets import SoftTargets, attach, check_mixture

DISTILLED = "spacy-tokclf.Distilled.v1"


def make_distilled_v1(
    path: str | Path | None,
    corpus: Callable[[Language], Iterable[Example]] | None = None,
    augmenter: Callable[[Language, Example], Iterator[Example]] | None = None,
    temperature: float = 2.0,
    gold_share: float = 0.5,
    seed: int = 0,
) -> CorpusT:
    """Make the reader of a student's training data, as `spacy tokclf distill` writes it into the config.

    path (str | Path | None): The folder of soft targets that it wrote.
    corpus (Callable[[Language], Iterable[Example]] | None): The reader of gold texts, without an augmenter; None: there
        are none.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): The augmenter. Teachers have seen its copies.
    temperature (float): By which distributions of teacher and student are compared: above 1 the small probabilities
        count more.
    gold_share (float): Share of the gold in the loss of tokens of which a teacher says something, too: 1 is gold alone.
    seed (int): Of the random numbers that the augmenter draws.
    RETURNS (Callable[[Language], Iterable[Example]]): The reader.
    RAISES (ValueError): TC031, for a temperature or a share out of range; TC554, if no folder is given.
    """
    check_mixture(temperature, gold_share)
    if path is None:
        raise ValueError(Errors.TC554.format(path=path, detail="no path is given"))
    folder = Path(path)

    def read_distilled(nlp: Language) -> Iterator[Example]:
        store = read_store(folder)
        examples = [eg for eg, _ in read_gold(nlp, corpus, augmenter, seed)]
        examples += [unlabelled(doc) for doc in read_texts(folder, nlp.vocab)]
        _check_known(examples, store, folder)
        for eg in examples:
            rows = store.of(text_hash(eg.predicted))
            yield eg if rows is None else attach(eg, SoftTargets(rows, store.tags, temperature, gold_share))

    return read_distilled


def read_gold(
    nlp: Language, corpus: CorpusT | None, augmenter: AugmenterT | None, seed: int
) -> list[tuple[Example, str]]:
    """Read gold texts, and what an augmenter makes of them: the same with the same seed, whatever was drawn before.

    nlp (Language): The pipeline.
    corpus (Callable[[Language], Iterable[Example]] | None): The reader.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): The augmenter.
    seed (int): The seed.
    RETURNS (list[tuple[Example, str]]): The examples, with the letters of the texts that they were made from.
    """
    with contextlib.nullcontext() if augmenter is None else seeded(seed):
        return [
            (made, letters(eg.reference))
            for eg in (() if corpus is None else corpus(nlp))
            for made in ((eg,) if augmenter is None else augmenter(nlp, eg))
        ]


def unlabelled(doc: Doc) -> Example:
    """Make an example of a text without gold.

    doc (Doc): The text.
    RETURNS (Example): The example: nothing is known of its tokens.
    """
    return Example(bare_copy(doc, doc.vocab), bare_copy(doc, doc.vocab))


def _check_known(examples: list[Example], store: SoftStore, folder: Path) -> None:
    """Refuse texts that the teachers were not asked about. RAISES (ValueError): TC555."""
    new = [eg for eg in examples if len(eg.predicted) and text_hash(eg.predicted) not in store]
    if new:
        facts = {"count": len(new), "total": len(examples), "text": new[0].predicted.text[:60]}
        raise ValueError(Errors.TC555.format(path=folder, **facts))

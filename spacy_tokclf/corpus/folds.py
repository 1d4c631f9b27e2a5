"""The reader "spacy-tokclf.AllButFold.v1": a corpus without one fold of its texts, for a teacher of these."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors
from .examples import AugmenterT, CorpusT, augmented

ALL_BUT_FOLD = "spacy-tokclf.AllButFold.v1"


def make_all_but_fold_v1(
    corpus: Callable[[Language], Iterable[Example]],
    fold: int,
    folds: int = 5,
    augmenter: Callable[[Language, Example], Iterator[Example]] | None = None,
) -> CorpusT:
    """Make a reader that leaves out a fold of the texts of another: what is trained on it can say of these texts what
    it has not learned by heart (cross-fitting). To which fold a text belongs hangs on its letters alone: neither on
    the order of the texts, nor on tokens or capitals.

    corpus (Callable[[Language], Iterable[Example]]): The reader, without an augmenter: copies of a text that is left
        out would be read.
    fold (int): The fold that is left out, from 0.
    folds (int): How many folds there are.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): The augmenter.
    RETURNS (Callable[[Language], Iterable[Example]]): The reader.
    RAISES (ValueError): TC559, for a fold that there is not.
    """
    check_fold(fold, folds)

    def read_rest(nlp: Language) -> Iterator[Example]:
        return (eg for eg in corpus(nlp) if fold_of(letters(eg.reference), folds) != fold)

    rest: CorpusT = read_rest
    given: AugmenterT | None = augmenter
    return augmented(rest, given)


def check_fold(fold: int, folds: int) -> None:
    """Refuse a fold that there is not.

    fold (int): The fold.
    folds (int): How many there are.
    RAISES (ValueError): TC559.
    """
    if folds < 2 or not 0 <= fold < folds:
        raise ValueError(Errors.TC559.format(fold=fold, folds=folds))


def letters(doc: Doc) -> str:
    """Give what tells a text from others, whatever its tokens are.

    doc (Doc): The text.
    RETURNS (str): Its characters but white space, without capitals.
    """
    return "".join("".join(token.text for token in doc).split()).casefold()


def fold_of(text: str, folds: int) -> int:
    """Tell to which fold a text belongs.

    text (str): Its letters.
    folds (int): How many folds there are.
    RETURNS (int): The fold, from 0.
    """
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big") % folds


def fold_left_out(config: Mapping[str, Any]) -> tuple[int, int] | None:
    """Read from the config of a trained pipeline which fold of its training data was left out.

    config (Mapping[str, Any]): The config.
    RETURNS (tuple[int, int] | None): The fold, and how many there were; None if it was trained on all of them.
    """
    block: Any = config
    for key in str(config.get("training", {}).get("train_corpus", "corpora.train")).split("."):
        block = block.get(key) if isinstance(block, Mapping) else None
    if not isinstance(block, Mapping) or block.get("@readers") != ALL_BUT_FOLD:
        return None
    fold, folds = block.get("fold"), block.get("folds", 5)
    return (fold, folds) if isinstance(fold, int) and isinstance(folds, int) else None

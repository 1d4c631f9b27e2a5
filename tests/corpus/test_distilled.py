"""What teachers said, kept on disk: found by the tokens of texts in any order, refused where it does not fit."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from pipeline_posts import read_posts
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from spacy_tokclf.corpus.distilled_reader import make_distilled_v1, read_gold
from spacy_tokclf.corpus.folds import fold_left_out, fold_of, letters
from spacy_tokclf.corpus.lower_copies import make_lower_copies_v1
from spacy_tokclf.corpus.soft_store import ARRAYS, FACTS, TEXTS, SoftStore, read_store, text_hash, write_store
from spacy_tokclf.corpus.soft_targets import soft_targets

TAGS = ["O", "B-x", "I-x"]
MADE_OF = {"teachers": "a", "texts": "b"}
ReadT = Callable[[Language], Iterator[Example]]


@pytest.fixture
def nlp() -> Language:
    return spacy.blank("en")


def make(reader: str, **settings: Any) -> ReadT:
    read: ReadT = registry.resolve({"made": {"@readers": reader, **settings}})["made"]
    return read


def rows_of(doc: Doc) -> Any:
    """Numbers that hang on the text."""
    rng = np.random.default_rng(list(text_hash(doc)))
    return np.log(rng.dirichlet([1.0] * len(TAGS), size=len(doc))).astype("float32")


def write(path: Path, docs: list[Doc], others: list[Doc], silent: tuple[Doc, ...] = ()) -> Path:
    found = {text_hash(doc): rows_of(doc) for doc in [*docs, *others]}
    found |= {text_hash(doc): np.zeros((0, len(TAGS)), "float32") for doc in silent}
    write_store(path, SoftStore("IOB2", TAGS, MADE_OF, found), others)
    return path


def posts(nlp: Language) -> Iterator[Example]:
    yield from read_posts(nlp)


@pytest.fixture
def folder(nlp: Language, tmp_path: Path) -> Path:
    docs = [eg.x for eg in read_posts(nlp)]
    return write(tmp_path / "distilled", docs[1:], [nlp("A text without gold.")], silent=(docs[0],))


def read(folder: Path, **settings: Any) -> ReadT:
    return make_distilled_v1(folder, **{"corpus": posts, **settings})


def test_texts_in_another_order_find_what_was_said_of_them(nlp: Language, folder: Path) -> None:
    for corpus in (posts, lambda nlp: reversed(read_posts(nlp))):
        examples = list(read(folder, corpus=corpus, temperature=3.0, gold_share=0.25)(nlp))
        assert len(examples) == 17
        silent = [eg for eg in examples if soft_targets(eg) is None]
        assert [eg.text for eg in silent] == [read_posts(nlp)[0].text]
        for eg in examples:
            targets = soft_targets(eg)
            if targets is not None:
                np.testing.assert_allclose(targets.log_probs, rows_of(eg.predicted), atol=0.01)
                assert (targets.tags, targets.temperature, targets.gold_share) == (tuple(TAGS), 3.0, 0.25)
        (free,) = (eg for eg in examples if not eg.reference.has_annotation("ENT_IOB"))
        assert free.text == "A text without gold." and not free.reference.has_unknown_spaces


def test_it_reads_texts_without_gold_alone(nlp: Language, folder: Path) -> None:
    (only,) = make("spacy-tokclf.Distilled.v1", path=str(folder))(nlp)
    assert only.text == "A text without gold." and soft_targets(only) is not None


@pytest.mark.parametrize(
    ("words", "spaces"),
    [
        (["Odd", " \n ", "words", "", "é中", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")], None),
        (["no", "space", "at", "all"], [False] * 4),
        (["a", "\n\n", "b"], [True, False, True]),
    ],
)
def test_texts_without_gold_are_found_again(
    nlp: Language, tmp_path: Path, words: list[str], spaces: list[bool] | None
) -> None:
    doc = Doc(nlp.vocab, words=[word for word in words if word], spaces=spaces)
    (only,) = make("spacy-tokclf.Distilled.v1", path=str(write(tmp_path / "made", [], [doc])))(spacy.blank("en"))
    targets = soft_targets(only)
    assert targets is not None and len(targets.log_probs) == len(doc)
    assert text_hash(only.predicted) == text_hash(doc)


def test_empty_texts_pass(nlp: Language, folder: Path) -> None:
    def more(nlp: Language) -> Iterator[Example]:
        yield Example(Doc(nlp.vocab), Doc(nlp.vocab))

    empty, _ = read(folder, corpus=more)(nlp)
    assert soft_targets(empty) is None


def test_it_is_kept_in_16_bits_whatever_it_is(nlp: Language, tmp_path: Path) -> None:
    doc = nlp("one")
    store = SoftStore("IOB2", TAGS, MADE_OF, {text_hash(doc): np.array([[0, -87.5, -np.inf]], dtype="float32")})
    write_store(tmp_path / "made", store, [])
    found = read_store(tmp_path / "made")
    assert found.of(text_hash(doc)).tolist() == [[0, -87.5, -60000.0]] and found.of(text_hash(doc)).dtype == np.float16
    assert (found.scheme, found.tags, found.made_of) == ("IOB2", tuple(TAGS), MADE_OF)


def test_texts_that_no_teacher_was_asked_about_are_refused(nlp: Language, folder: Path) -> None:
    def more(nlp: Language) -> Iterator[Example]:
        yield from read_posts(nlp)
        yield Example(nlp.make_doc("just a new one"), nlp.make_doc("just a new one"))

    with pytest.raises(ValueError, match=r"TC555.*1 of 18.*just a new one"):
        list(read(folder, corpus=more)(nlp))


def test_copies_of_an_augmenter_are_the_same_each_time(nlp: Language, tmp_path: Path) -> None:
    augmenter = make_lower_copies_v1(0.5)
    asked = [eg.x for eg, _ in read_gold(nlp, posts, augmenter, 0)]
    assert len(read_posts(nlp)) < len(asked) < 2 * len(read_posts(nlp))
    path = write(tmp_path / "distilled", asked, [])
    for seed in (1, 2):
        spacy.util.fix_random_seed(seed)
        assert [eg.text for eg in read(path, augmenter=augmenter)(nlp)] == [doc.text for doc in asked]
    with pytest.raises(ValueError, match="TC555"):
        list(read(path, augmenter=augmenter, seed=1)(nlp))


def test_a_number_out_of_range_is_refused() -> None:
    for settings in ({"temperature": 0.0}, {"temperature": float("nan")}, {"gold_share": 1.1}, {"gold_share": -0.1}):
        with pytest.raises(ValueError, match="TC031"):
            make("spacy-tokclf.Distilled.v1", path="somewhere", **settings)
    with pytest.raises(ValueError, match="TC554"):
        make("spacy-tokclf.Distilled.v1", path=None)


def damage_facts(folder: Path) -> None:
    facts = json.loads((folder / FACTS).read_text())
    (folder / FACTS).write_text(json.dumps({**facts, "tags": ["O"]}))


DAMAGES: list[Callable[[Path], Any]] = [
    lambda folder: (folder / FACTS).unlink(),
    lambda folder: (folder / FACTS).write_text("[]"),
    lambda folder: (folder / ARRAYS).write_bytes(b"no arrays"),
    lambda folder: (folder / TEXTS).write_bytes(b"no texts"),
    damage_facts,
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("checked", [True, False])
def test_a_damaged_folder_is_refused(
    nlp: Language, folder: Path, damage: Callable[[Path], Any], checked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACY_TOKCLF_CHECK_FILES", str(int(checked)))
    damage(folder)
    with pytest.raises(ValueError, match=r"TC554|TC403|TC136"):
        list(read(folder)(nlp))


def test_there_is_no_folder(nlp: Language, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TC554"):
        list(read(tmp_path / "nowhere")(nlp))


def test_folds_divide_the_texts(nlp: Language) -> None:
    texts = [eg.text for eg in read_posts(nlp)]
    left = []
    for fold in range(3):
        corpus = make("spacy-tokclf.AllButFold.v1", corpus=posts, fold=fold, folds=3)
        kept = [eg.text for eg in corpus(nlp)]
        assert kept == [text for text in texts if text in kept]
        left += [text for text in texts if text not in kept]
        assert all(fold_of(letters(nlp.make_doc(text)), 3) == fold for text in texts if text not in kept)
    assert sorted(left) == sorted(texts)


def test_the_fold_of_a_text_hangs_on_its_letters(nlp: Language) -> None:
    one, other = nlp.make_doc("Don't, Ann  !"), Doc(nlp.vocab, words=["don", "'", "T,", "ANN", "!"])
    assert letters(one) == letters(other) == "don't,ann!"


def test_copies_of_texts_that_are_left_out_are_not_read(nlp: Language) -> None:
    augmenter = make_lower_copies_v1(1.0)
    corpus = make("spacy-tokclf.AllButFold.v1", corpus=posts, fold=0, folds=2, augmenter=augmenter)
    assert 0 not in {fold_of(letters(eg.reference), 2) for eg in corpus(nlp)}


@pytest.mark.parametrize(("fold", "folds"), [(2, 2), (-1, 5), (0, 1)])
def test_a_fold_that_there_is_not_is_refused(fold: int, folds: int) -> None:
    with pytest.raises(ValueError, match="TC559"):
        make("spacy-tokclf.AllButFold.v1", corpus=posts, fold=fold, folds=folds)


def test_a_config_says_which_fold_was_left_out() -> None:
    block = {"@readers": "spacy-tokclf.AllButFold.v1", "corpus": {"@readers": "spacy.Corpus.v1"}, "fold": 3}
    assert fold_left_out({"corpora": {"train": block}}) == (3, 5)
    assert fold_left_out({"corpora": {"train": {**block, "folds": 4}}}) == (3, 4)
    assert fold_left_out({"corpora": {"train": block["corpus"], "other": block}}) is None
    assert fold_left_out({"training": {"train_corpus": "corpora.other"}, "corpora": {"other": block}}) == (3, 5)
    assert fold_left_out({}) is None

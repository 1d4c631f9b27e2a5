import random
from itertools import islice

import pytest
import spacy
from confection import ConfigValidationError
from spacy.tokens import DocBin
from spacy.training.corpus import create_docbin_reader
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train
from spacy.util import load_config_from_str, load_model_from_config, registry

from spacy_tokclf.corpus import read_conll, write_docbin
from spacy_tokclf.corpus.batcher import make_length_batcher_v1
from spacy_tokclf.corpus.conll_reader import make_conll_corpus_v1
from spacy_tokclf.corpus.lower_copies import make_lower_copies_v1

POSTS = "".join(
    f"{name}\tB-person\nsaw\tO\nthe\tO\n{thing}\tB-creative-work\n{thing}\tI-creative-work\n\t\nlol\tO\n\n"
    for name, thing in [("Ada", "Kite"), ("Bo", "Rust"), ("Cy", "Moth"), ("Di", "Salt")]
)

CONFIG = """
[paths]
train = null

[nlp]
lang = "en"
pipeline = ["ner"]

[components]

[components.ner]
factory = "ner"

[components.ner.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
extra_state_tokens = false
hidden_width = 8
maxout_pieces = 2
use_upper = false

[components.ner.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
width = 8
depth = 1
embed_size = 50
window_size = 1
maxout_pieces = 2
subword_features = false
pretrained_vectors = null

[corpora]

[corpora.train]
@readers = "spacy-tokclf.ConllCorpus.v1"
path = ${paths.train}

[corpora.dev]
@readers = "spacy-tokclf.ConllCorpus.v1"
path = ${paths.train}
limit = 3

[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
max_epochs = MAX_EPOCHS
max_steps = 60
eval_frequency = 20

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.05

[training.batcher]
@batchers = "spacy-tokclf.LengthBatcher.v1"
size = 3
buffer = 2
"""


@pytest.fixture
def nlp():
    return spacy.blank("en")


def test_examples_keep_gold_tokens(conll, nlp):
    path = conll("do\tO\nn't\tO\n10km\tB-x\n\na\t-\nb\tO\n")
    one, two = make_conll_corpus_v1(path)(nlp)
    for example in (one, two):
        assert example.predicted.has_unknown_spaces and example.reference.has_unknown_spaces
        assert not example.predicted.ents and not example.predicted.has_annotation("ENT_IOB")
        assert example.predicted.user_data == {} and example.reference.user_data == {}
        assert example.predicted.vocab is nlp.vocab
    assert one.get_aligned_ner() == ["O", "O", "U-x"]
    assert two.get_aligned_ner() == [None, "O"]
    assert [token.text for token in one.predicted] == ["do", "n't", "10km"]


def test_same_examples_as_from_the_docbin(conll, tmp_path, nlp):
    path = conll(POSTS)
    write_docbin(read_conll(path), tmp_path / "x.spacy")
    ours = list(make_conll_corpus_v1(path)(nlp))
    theirs = list(create_docbin_reader(tmp_path / "x.spacy", gold_preproc=False)(nlp))
    assert [eg.predicted.text for eg in ours] == [eg.predicted.text for eg in theirs]
    assert [eg.get_aligned_ner() for eg in ours] == [eg.get_aligned_ner() for eg in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert DocBin(docs=[one.reference]).to_bytes() == DocBin(docs=[other.reference]).to_bytes()


def test_an_augmenter(conll, nlp):
    """As with spaCy's own reader: each example, and what is made of it."""
    make = registry.readers.get("spacy-tokclf.ConllCorpus.v1")
    corpus = make(conll("Ada\tB-x\ncame\tO\n\nhere\tO\n"), augmenter=make_lower_copies_v1(1.0))
    for _ in range(2):
        words = [[token.text for token in eg.reference] for eg in corpus(nlp)]
        assert words == [["Ada", "came"], ["ada", "came"], ["here"]]
    assert [ent.text for eg in corpus(nlp) for ent in eg.reference.ents] == ["Ada", "ada"]


def test_wnut17_directly(wnut17, nlp):
    corpus = make_conll_corpus_v1(wnut17["test"])
    assert sum(len(example.reference.ents) for example in corpus(nlp)) == 1079


@pytest.mark.parametrize("one, two", [("S-x", "O"), ("O", "S-x")])
def test_folder_in_order_of_name_with_one_scheme(conll, nlp, one, two):
    # a file without tags would be taken for IOB2 by itself
    conll(f"b\t{two}\n", "2.conll")
    conll(f"a\tO\n\nc\t{one}\nd\tO\n", "1.conll")
    folder = conll("not data", "README.md").parent
    corpus = make_conll_corpus_v1(folder)
    examples = list(corpus(nlp))
    assert [example.reference.text.split() for example in examples] == [["a"], ["c", "d"], ["b"]]
    assert corpus.scheme == "IOBES"
    assert sum(len(example.reference.ents) for example in examples) == 1


@pytest.mark.parametrize("limit, count", [(0, 9), (1, 1), (8, 8), (9, 9), (99, 9)])
def test_limit_over_files(conll, nlp, limit, count):
    conll(POSTS, "1.conll")
    folder = conll("x\tO\n", "2.conll").parent
    assert len(list(make_conll_corpus_v1(folder, limit=limit)(nlp))) == count


def test_columns_and_scheme_are_passed_on(conll, nlp):
    path = conll("1\tS-x\tAda\n")
    (example,) = make_conll_corpus_v1(path, scheme="IOBES", token_column=2, tag_column=1)(nlp)
    assert [(ent.text, ent.label_) for ent in example.reference.ents] == [("Ada", "x")]


def test_missing_paths(tmp_path, nlp):
    with pytest.raises(ValueError, match="TC118"):
        make_conll_corpus_v1(None)
    with pytest.raises(ValueError, match="TC119"):
        make_conll_corpus_v1(tmp_path, limit=-1)
    for path in (tmp_path, tmp_path / "no.conll"):
        with pytest.raises(ValueError, match="TC118"):
            list(make_conll_corpus_v1(path)(nlp))


def test_registered_and_validated(conll):
    config = {"@readers": "spacy-tokclf.ConllCorpus.v1", "path": str(conll(POSTS)), "limit": 2}
    assert registry.resolve({"corpus": config})["corpus"].limit == 2
    for faulty in ({"limit": "two"}, {"path": 3}, {"shuffle": True}, {"token_column": 0.5}):
        with pytest.raises(ConfigValidationError):
            registry.resolve({"corpus": {**config, **faulty}})
    config = {"@batchers": "spacy-tokclf.LengthBatcher.v1", "size": 3}
    assert len(list(registry.resolve({"batcher": config})["batcher"](["x"] * 7))) == 3
    with pytest.raises(ConfigValidationError):
        registry.resolve({"batcher": {**config, "size": "many"}})


def test_streamed_epochs(conll, nlp):
    random.seed(0)
    corpus = make_conll_corpus_v1(conll(POSTS))
    batches = create_train_batches(nlp, corpus, make_length_batcher_v1(3, 2), -1)
    seen = list(islice(batches, 9))
    assert [epoch for epoch, _ in seen] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for epoch in range(3):
        texts = sorted(eg.text for e, batch in seen for eg in batch if e == epoch)
        assert texts == sorted(eg.text for eg in corpus(nlp))


@pytest.mark.parametrize("max_epochs", [-1, 0])
def test_training_from_conll(conll, max_epochs):
    config = load_config_from_str(CONFIG.replace("MAX_EPOCHS", str(max_epochs)))
    config["paths"]["train"] = str(conll(POSTS))
    filled = load_model_from_config(config, auto_fill=True).config
    nlp = init_nlp(filled)
    trained, _ = train(nlp, None, use_gpu=-1)
    gold = make_conll_corpus_v1(config["paths"]["train"])
    assert trained.evaluate(list(gold(trained)))["ents_f"] == 1.0

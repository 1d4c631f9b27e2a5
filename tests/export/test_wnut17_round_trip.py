"""The whole test set of WNUT-17 through an export and back: the same logits, tags, entities and scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from spacy.tokens import Doc

from spacy_tokclf.corpus.forms.conll import read_conll
from spacy_tokclf.export import export_hf, import_hf
from spacy_tokclf.tags.decode import Decoder, best_tags

#: How far the logits of two float32 forward passes, added up in different order, may be apart: the classifier of the
#: fixture is drawn fifteen times as large as a fresh one, and rounding grows with it.
ROUNDING = 3e-5


def entities(doc: Doc) -> list[tuple[int, int, str]]:
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


@pytest.mark.slow
def test_every_post(embedded_checkpoint: Path, wnut17_dir: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    nlp = import_hf(embedded_checkpoint, decode="constrained")
    out = export_hf(nlp, tmp_path / "hf")
    again = import_hf(out)
    pipe: Any = nlp.get_pipe("ner")
    module, tokenizer = AutoModelForTokenClassification.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    posts = [record.words for record in read_conll(wnut17_dir / "emerging.test.annotated")]
    docs = [Doc(nlp.vocab, words=words) for words in posts]
    logits = pipe.logits(docs)
    n_tokens = n_changed = n_ties = 0
    for words, rows in zip(posts, logits, strict=True):
        encoding = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            theirs = module(**encoding).logits[0].numpy()
        first = {index: place for place, index in reversed(list(enumerate(encoding.word_ids()))) if index is not None}
        seen = np.array(sorted(first))
        ours = rows[seen].argmax(axis=1)
        theirs = theirs[[first[i] for i in seen]]
        np.testing.assert_allclose(rows[seen], theirs, rtol=0, atol=ROUNDING)
        # The best tag is the same one, or the two are level within rounding.
        behind = theirs.max(axis=1) - theirs[np.arange(len(seen)), ours]
        assert (behind <= 2 * ROUNDING).all()
        n_ties += int((behind > 0).sum())
        decoded = best_tags(rows[seen], np.array([len(seen)]), Decoder(pipe.tag_table, constrained=True))
        n_tokens += len(seen)
        n_changed += int((decoded != ours).sum())
    print(f"Constrained decoding changes {n_changed} of {n_tokens} tokens.")
    print(f"{n_ties} of them have two best tags, level within rounding.")
    assert n_tokens > 23_000
    assert n_ties <= 5
    assert n_changed
    for one, two in zip(nlp.pipe(docs), again.pipe([Doc(again.vocab, words=words) for words in posts]), strict=True):
        assert entities(one) == entities(two)
        scores = (doc.spans["entities"].attrs["scores"] for doc in (one, two))
        assert next(scores) == pytest.approx(next(scores), abs=1e-6)

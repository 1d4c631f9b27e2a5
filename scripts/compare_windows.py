"""Compare windows of the encoder on long texts: annotated short texts put in a row, a hundred at a time.

An encoder that was fine-tuned on short texts has learned nothing of words far away and of high positions. On dev, it is
how the windows of the recipes were chosen.

Usage: python scripts/compare_windows.py training/model-best corpus/dev.spacy
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from wasabi import msg

from spacy_tokclf.corpus.docs import bare_copy
from spacy_tokclf.metrics.examples import score_examples
from spacy_tokclf.pipeline.lookup import find_encoder

JOINED = 100
#: Word pieces in a window, and shared by neighbours.
WINDOWS = ((512, 64), (256, 32), (192, 24), (128, 32), (128, 16), (64, 16))


def join_texts(docs: Sequence[Doc], size: int = JOINED) -> list[Doc]:
    """Put annotated texts in a row.

    docs (Sequence[Doc]): The texts.
    size (int): How many become one.
    RETURNS (list[Doc]): The long texts, with the entities of the short ones.
    """
    return [Doc.from_docs(list(docs[start : start + size])) for start in range(0, len(docs), size)]


def f1(nlp: Language, gold: Sequence[Doc]) -> float:
    """Annotate the tokens of some texts, and score them.

    nlp (Language): The pipeline.
    gold (Sequence[Doc]): The texts.
    RETURNS (float): Entity F1.
    """
    texts = [bare_copy(doc, nlp.vocab) for doc in gold]
    pairs = zip(nlp.pipe(texts, batch_size=1), gold, strict=True)
    return float(score_examples([Example(*pair) for pair in pairs])["overall_f1"])


def main() -> None:
    """Score the pipeline named on the command line with each window."""
    parser = argparse.ArgumentParser(description="Compare windows on annotated texts put in a row.")
    parser.add_argument("model", type=Path, help="the pipeline's folder")
    parser.add_argument("corpus", type=Path, help="a .spacy file")
    args = parser.parse_args()
    nlp = spacy.load(args.model)
    encoder = find_encoder(nlp.get_pipe("ner").model, nlp, "ner")
    gold = list(DocBin().from_disk(args.corpus).get_docs(nlp.vocab))
    rows = [("the short texts", "", f"{f1(nlp, gold):.4f}")]
    long = join_texts(gold)
    for window, overlap in WINDOWS:
        encoder.attrs.update(window=window, overlap=overlap)
        rows.append((str(window), str(overlap), f"{f1(nlp, long):.4f}"))
    msg.table(rows, header=("window", "overlap", "F1"), aligns=("r", "r", "r"), divider=True)


if __name__ == "__main__":
    main()

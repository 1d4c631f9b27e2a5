"""Compare the two decoders of `token_classifier` on dev: how the default was chosen.

Usage: python scripts/compare_decoders.py training/model-best corpus/dev.spacy
"""

import argparse
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from wasabi import msg

from spacy_tokclf.metrics.examples import score_examples


def main() -> None:
    """Score the pipeline named on the command line with each decoder."""
    parser = argparse.ArgumentParser(description="Compare the decoders on annotated texts.")
    parser.add_argument("model", type=Path, help="the pipeline's folder")
    parser.add_argument("corpus", type=Path, help="a .spacy file")
    args = parser.parse_args()
    nlp = spacy.load(args.model)
    gold = list(DocBin().from_disk(args.corpus).get_docs(nlp.vocab))
    rows = []
    for decoder in ("constrained", "greedy"):
        nlp.get_pipe("ner").cfg["decode"] = decoder
        docs = nlp.pipe([Doc(nlp.vocab, words=[token.text for token in doc]) for doc in gold])
        scores = score_examples([Example(doc, reference) for doc, reference in zip(docs, gold, strict=True)])
        rows.append((decoder, *(f"{scores[f'overall_{name}']:.4f}" for name in ("precision", "recall", "f1"))))
    msg.table(rows, header=("decode", "precision", "recall", "F1"), aligns=("l", "r", "r", "r"), divider=True)


if __name__ == "__main__":
    main()

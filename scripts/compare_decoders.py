"""Compare the two decoders of `token_classifier`, and count the tokens whose best tag the constrained one changes.

On dev, it is how the default was chosen.

Usage: python scripts/compare_decoders.py training/model-best corpus/dev.spacy
"""

import argparse
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from wasabi import msg

from spacy_tokclf.metrics.examples import score_examples
from spacy_tokclf.pipeline.decoding import find_visible
from spacy_tokclf.pipeline.token_classifier import TokenClassifier
from spacy_tokclf.tags.decode import Decoder, best_tags
from spacy_tokclf.tags.tuning import bias_of_tags


def count_changed(pipe: TokenClassifier, docs: list[Doc]) -> tuple[int, int]:
    """Count the tokens whose best tag gives way so that all tags are valid.

    pipe (TokenClassifier): The component, with the encoder inside it.
    docs (list[Doc]): The texts.
    RETURNS (tuple[int, int]): Tokens that are changed, and tokens in all.
    """
    visible = find_visible(docs, pipe.logits(docs))
    logits = visible.logits + bias_of_tags(pipe.tuning, pipe.tag_table)
    lengths = visible.lengths[visible.lengths > 0]
    decoders = (Decoder(pipe.tag_table, constrained, pipe.transitions) for constrained in (True, False))
    valid, best = (best_tags(logits, lengths, decoder) for decoder in decoders)
    return int((valid != best).sum()), len(best)


def main() -> None:
    """Score the pipeline named on the command line with each decoder."""
    parser = argparse.ArgumentParser(description="Compare the decoders on annotated texts.")
    parser.add_argument("model", type=Path, help="the pipeline's folder")
    parser.add_argument("corpus", type=Path, help="a .spacy file")
    args = parser.parse_args()
    nlp = spacy.load(args.model)
    gold = list(DocBin().from_disk(args.corpus).get_docs(nlp.vocab))
    pipe = nlp.get_pipe("ner")
    texts = [[token.text for token in doc] for doc in gold]
    rows = []
    for decoder in ("constrained", "greedy"):
        pipe.cfg["decode"] = decoder
        docs = nlp.pipe([Doc(nlp.vocab, words=words) for words in texts])
        scores = score_examples([Example(doc, reference) for doc, reference in zip(docs, gold, strict=True)])
        rows.append((decoder, *(f"{scores[f'overall_{name}']:.4f}" for name in ("precision", "recall", "f1"))))
    msg.table(rows, header=("decode", "precision", "recall", "F1"), aligns=("l", "r", "r", "r"), divider=True)
    changed, total = count_changed(pipe, [Doc(nlp.vocab, words=words) for words in texts])
    msg.text(f"Constrained decoding changes the tags of {changed} of {total} tokens.")


if __name__ == "__main__":
    main()

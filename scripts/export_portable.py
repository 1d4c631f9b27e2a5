"""Export a trained pipeline as a Hugging Face folder, and check the folder against the pipeline.

Opened by transformers, the folder must give the logits of the pipeline, tuned as it is, on every post of dev (that is
not longer than the encoder's limit: transformers knows no windows), and read back as a pipeline it must give the same
entities. Both are compared in fp32.

Usage: python scripts/export_portable.py training/portable/model-best training/portable/hf --stamp export.json
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from project_files import fail, write_json
from spacy import Language
from spacy.tokens import Doc, DocBin
from wasabi import msg

from spacy_tokclf.export import export_hf, import_hf
from spacy_tokclf.export.component import find_classifier
from spacy_tokclf.tags.tuning import tune_logits

MAX_DIFFERENCE = 1e-4

Entity = tuple[int, int, str]


def logit_difference(nlp: Language, folder: Path, posts: list[list[str]]) -> float:
    """Compare the logits of a pipeline with those that transformers gets out of a folder.

    nlp (Language): The pipeline.
    folder (Path): The folder.
    posts (list[list[str]]): The words of some posts.
    RETURNS (float): The largest difference at the first word piece of any word in a post that the model can see whole.
    """
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    model, tokenizer = AutoModelForTokenClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    largest = 0.0
    pipe = find_classifier(nlp, None).pipe
    for words, raw in zip(posts, pipe.logits(docs_of(nlp, posts)), strict=True):
        ours = tune_logits(raw, pipe.tuning, pipe.tag_table)
        encoding = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        if encoding.input_ids.shape[1] > tokenizer.model_max_length:
            continue
        with torch.inference_mode():
            theirs = model(**encoding).logits[0].numpy()
        pieces = encoding.word_ids()
        first = {word: pieces.index(word) for word in dict.fromkeys(pieces) if word is not None}
        if first:
            difference = np.abs(ours[list(first)] - theirs[list(first.values())])
            largest = max(largest, float(difference.max()))
    return largest


def docs_of(nlp: Language, posts: list[list[str]]) -> list[Doc]:
    """RETURNS (list[Doc]): Posts as Docs of a pipeline."""
    return [Doc(nlp.vocab, words=words) for words in posts]


def entities(nlp: Language, posts: list[list[str]]) -> list[list[Entity]]:
    """Annotate posts.

    nlp (Language): The pipeline.
    posts (list[list[str]]): Their words.
    RETURNS (list[list[Entity]]): Start, end and label of the entities of each.
    """
    docs = nlp.pipe(docs_of(nlp, posts))
    return [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in docs]


def export(model: Path, out: Path, posts: list[list[str]]) -> dict[str, Any]:
    """Export and check.

    model (Path): The pipeline.
    out (Path): The folder.
    posts (list[list[str]]): The words of the posts to check with.
    RETURNS (dict[str, Any]): The numbers of posts and entities, and the largest difference of the logits.
    RAISES (SystemExit): If the folder is not the pipeline.
    RAISES (ValueError): If the pipeline has no Hugging Face equivalent; the message says why.
    """
    export_hf(model, out, force=True)
    nlp, again = spacy.load(model), import_hf(out)
    for each in (nlp, again):
        find_classifier(each, None).node.attrs["precision"] = "fp32"
    difference = max(logit_difference(again, out, posts), logit_difference(nlp, out, posts))
    ours, theirs = (entities(each, posts) for each in (nlp, again))
    found = [sum(map(len, each)) for each in (ours, theirs)]
    if ours != theirs or difference > MAX_DIFFERENCE:
        fail(f"{out} is not {model}", f"Logits differ by {difference}; {found[0]} entities became {found[1]}.")
    return {"posts": len(posts), "entities": found[0], "max_logit_difference": difference}


def main() -> None:
    """Export the pipeline named on the command line."""
    parser = argparse.ArgumentParser(description="Export a trained pipeline as a Hugging Face folder, and check it.")
    parser.add_argument("model", type=Path, help="the pipeline's folder")
    parser.add_argument("out", type=Path, help="the folder for AutoModelForTokenClassification and AutoTokenizer")
    parser.add_argument("--data", type=Path, default=Path("corpus/dev.spacy"), help="the posts to check with")
    parser.add_argument("--stamp", type=Path, required=True, help="the JSON file to write once all is checked")
    args = parser.parse_args()
    args.stamp.unlink(missing_ok=True)
    vocab = spacy.blank("en").vocab
    posts = [[token.text for token in doc] for doc in DocBin().from_disk(args.data).get_docs(vocab)]
    try:
        checked = export(args.model, args.out, posts)
    except ValueError as error:
        fail(f"{args.model} cannot be exported", str(error))
    write_json(args.stamp, checked)
    msg.good(f"{args.out} gives the entities of {args.model} in {checked['posts']} posts: {checked['entities']}")


if __name__ == "__main__":
    main()

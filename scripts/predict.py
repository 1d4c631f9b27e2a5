"""Print the entities in a few texts with their scores, and write them as an HTML page.

Usage: python scripts/predict.py training/model-best
"""

import argparse
from pathlib import Path

import spacy
from project_files import read_json, write_whole
from project_scores import SOURCES, remove_other, scores_folder
from spacy import displacy
from spacy.tokens import Doc
from wasabi import msg

from spacy_tokclf.pipeline.annotate import entity_score

PAGE = "predictions.html"
TEXTS = (
    "The Golden State Warriors are an American professional basketball team based in San Francisco.",
    "omg just bumped into Adele at the Lidl in Croydon \U0001f602 she was buying Oreos",
    "anyone else's Pixel 9 dying after the android update?? google pls fix",
    "gonna binge Stranger Things tonite w/ my bro Kofi #nosleep",
    "RT @ninaplays: the new Tesla plant in Grünheide hires again, says Reuters",
    "how do i get pandas to read a csv w/ two header rows, asked on stackoverflow, no luck",
    "manchester united lost AGAIN lmaooo",
    "nothing to see here, just me and my tea",
)
COLORS = {
    "corporation": "#9ad0f5",
    "creative-work": "#f7c6e0",
    "group": "#ffd59e",
    "location": "#b8e6b0",
    "person": "#f9f1a5",
    "product": "#d6c9f0",
}


def rows(doc: Doc) -> list[tuple[str, str, str]]:
    """List the entities of a text.

    doc (Doc): The annotated text.
    RETURNS (list[tuple[str, str, str]]): Entity, label and score, the latter with two digits ("" if unknown).
    """
    scores = [entity_score(ent) for ent in doc.ents]
    return [
        (ent.text, ent.label_, "" if score is None else f"{score:.2f}")
        for ent, score in zip(doc.ents, scores, strict=True)
    ]


def page(docs: list[Doc], title: str) -> str:
    """Make an HTML page that shows the entities in the texts, each with its score.

    docs (list[Doc]): The annotated texts.
    title (str): What stands on top.
    RETURNS (str): The page; it needs nothing from the network.
    """
    shown, colors = [], {}
    for doc in docs:
        ents = []
        for ent, (_, label, score) in zip(doc.ents, rows(doc), strict=True):
            text = f"{label} {score}".strip()
            ents.append({"start": ent.start_char, "end": ent.end_char, "label": text})
            colors[text.upper()] = COLORS.get(label, "#dddddd")
        shown.append({"text": doc.text, "ents": ents, "title": None})
    shown[0]["title"] = title
    return displacy.render(shown, style="ent", manual=True, page=True, jupyter=False, options={"colors": colors})


def main() -> None:
    """Annotate the texts with the pipeline named on the command line."""
    parser = argparse.ArgumentParser(description="Print and show the entities in a few texts.")
    parser.add_argument("model", help="a pipeline: a folder or the name of a package")
    parser.add_argument("--data", type=Path, default=Path("assets/data.json"), help="which data it was trained on")
    parser.add_argument("--metrics", type=Path, default=Path("metrics"), help="the folder of all scores")
    args = parser.parse_args()
    source = read_json(args.data)["source"]
    docs = list(spacy.load(args.model).pipe(TEXTS))
    for doc in docs:
        print(f"\n{doc.text}")
        for text, label, score in rows(doc):
            print(f"    {label:<14} {score:>4}  {text}")
    out = scores_folder(args.metrics, source) / PAGE
    title = f"{args.model}, trained on {SOURCES[source]}"
    write_whole(out, page(docs, title).encode("utf8"))
    remove_other(args.metrics, source, "", (PAGE,))
    msg.good(f"Page: {out}")


if __name__ == "__main__":
    main()

"""Entities as displaCy takes them by hand: it escapes texts, but neither labels nor titles."""

from html import escape
from typing import Any

from spacy.tokens import Doc


def displacy_ents(doc: Doc) -> dict[str, Any]:
    """Give the entities of a Doc to displaCy with label and title escaped: labels of a pipeline or data of others
    may hold HTML. `displacy.render(displacy_ents(doc), style="ent", manual=True)`. Options work as ever.

    doc (Doc): The Doc.
    RETURNS (dict[str, Any]): Text, entities and title.
    """
    # What stands under "params" is put in the place of the label where it is shown, and nowhere else.
    ents = [
        {"start": ent.start_char, "end": ent.end_char, "label": ent.label_, "params": {"label": escape(ent.label_)}}
        for ent in doc.ents
    ]
    title = doc.user_data.get("title")
    return {"text": doc.text, "ents": ents, "title": None if title is None else escape(str(title))}

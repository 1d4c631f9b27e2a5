"""The writer of brat: a folder with a text (.txt) and its annotation (.ann) for each Doc. Scores are notes, which brat
shows beside the entity: `#1<TAB>AnnotatorNotes T1<TAB>score 0.93`."""

from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...errors import Errors
from ...runtime.files import whole_folder
from ..docs import doc_scores, doc_text
from .brat import ANN, TXT
from .json_entities import missing_places
from .sources import is_foreign

_BOM = "\ufeff"
#: Digits of the numbers that stand for names, so that the order of names is that of the texts.
_DIGITS = 8


def write_brat(docs: Iterable[Doc | tuple[str, Doc]], path: str | Path) -> int:
    """Write Docs as pairs of files. A text of which nothing is known has no .ann file.

    docs (Iterable[Doc | tuple[str, Doc]]): The Docs, perhaps with names, which are paths without suffix.
    path (str | Path): The folder, which is to be new or one of brat alone.
    RETURNS (int): Number of texts written.
    RAISES (ValueError): TC360 for a label that brat cannot hold, TC361 if the gold of a part of a text is not known.
    """
    check_brat_folder(path)
    written = 0
    with whole_folder(Path(path).absolute()) as made:
        made.mkdir()
        for each in docs:
            written += 1
            name, doc = each if isinstance(each, tuple) else (f"{written:0{_DIGITS}}", each)
            annotation = brat_annotation(doc)
            file = made / f"{name}{TXT}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_marked(doc_text(doc)))
            if annotation is not None:
                (made / f"{name}{ANN}").write_text(annotation, encoding="utf-8", newline="\n")
    return written


def brat_annotation(doc: Doc) -> str | None:
    """Write the entities of a text in lines.

    doc (Doc): The text.
    RETURNS (str | None): Lines of text-bound annotations, each followed by its score; None if nothing is known.
    RAISES (ValueError): TC360, TC361.
    """
    missing = missing_places(doc)
    if missing and (doc.ents or any(token.ent_iob for token in doc)):
        raise ValueError(Errors.TC361.format(text=doc_text(doc)[:60], place=tuple(missing[0])))
    if missing:
        return None
    scores = doc_scores(doc)
    lines = []
    for number, ent in enumerate(doc.ents, 1):
        if not ent.label_ or any(map(str.isspace, ent.label_)):
            raise ValueError(Errors.TC360.format(label=ent.label_, text=doc.text[:60]))
        lines.append(f"T{number}\t{ent.label_} {ent.start_char} {ent.end_char}\t{' '.join(ent.text.split())}\n")
        score = scores.get((ent.start, ent.end, ent.label_))
        if score is not None:
            lines.append(f"#{number}\tAnnotatorNotes T{number}\tscore {float(score)!r}\n")
    return "".join(lines)


def check_brat_folder(path: str | Path) -> None:
    """Refuse a folder with something else in it: all of it is replaced.

    path (str | Path): The folder, which need not be there.
    RAISES (ValueError): TC294.
    """
    folder = Path(path)
    if folder.is_dir() and any(file.suffix not in (ANN, TXT) for file in folder.rglob("*") if not file.is_dir()):
        raise ValueError(Errors.TC294.format(path=folder.absolute()))


def _marked(text: str) -> bytes:
    """Encode a text, after a byte order mark if it would be taken for something else."""
    data = text.encode("utf-8")
    return _BOM.encode() + data if text.startswith(_BOM) or is_foreign(data) else data

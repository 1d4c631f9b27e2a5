"""DocBin files (.spacy): reader and writer of Docs and of records."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ...errors import Errors
from ..docs import doc_to_record, records_to_docs
from ..records import Record
from .doc_groups import check_groups, mask_groups

SUFFIX = ".spacy"
#: Only what the gold says: the other attributes follow from the vocabulary of the pipeline that reads the file.
ATTRS = ("ENT_IOB", "ENT_TYPE")


def read_docs(path: str | Path, vocab: Vocab) -> Iterator[Doc]:
    """Stream the Docs of a .spacy file. What only a span group marks is not taken for outside of entities.

    path (str | Path): The file.
    vocab (Vocab): Vocabulary of the Docs.
    RETURNS (Iterator[Doc]): The Docs.
    RAISES (ValueError): TC118 if there is no such file.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC118.format(path=str(path)))
    return mask_groups(DocBin().from_disk(path).get_docs(vocab), str(path))


def write_docs(docs: Iterable[Doc], path: str | Path) -> int:
    """Write Docs to a .spacy file: tokens, spaces and entities.

    docs (Iterable[Doc]): The Docs.
    path (str | Path): The file to write.
    RETURNS (int): Number of Docs written.
    """
    docbin = DocBin(attrs=ATTRS, docs=docs)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    docbin.to_disk(path)
    return len(docbin)


def read_docbin(path: str | Path) -> Iterator[Record]:
    """Stream the Docs of a .spacy file as records.

    path (str | Path): The file.
    YIELDS (Record): One record a Doc.
    RAISES (ValueError): TC118 if there is no such file; TC175 if all its spans are in span groups.
    """
    for doc in check_groups(read_docs(path, Vocab()), str(path)):
        yield doc_to_record(doc)


def write_docbin(records: Iterable[Record], path: str | Path) -> int:
    """Write records to a .spacy file. Equal records give equal bytes.

    records (Iterable[Record]): The posts.
    path (str | Path): The file to write.
    RETURNS (int): Number of Docs written.
    """
    return write_docs(records_to_docs(records, Vocab()), path)

"""Damaged annotated data of every form: a file is read or refused by a code, in the same way to score and to train; and
what is read can be written and read back."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import datasets
import spacy
from data_forms import FORMS, DataForm, Text
from spacy.language import Language
from spacy.tokens import Doc

from fuzzing.drawing import any_text, coded
from fuzzing.mutations import BINARY, MUTATIONS, TOKENS, damage
from spacy_tokclf.corpus.conll_reader import ConllCorpus
from spacy_tokclf.corpus.convert import read_any, write_any
from spacy_tokclf.corpus.docs import doc_to_record, records_to_docs
from spacy_tokclf.corpus.forms.jsonl import doc_text, read_jsonl
from spacy_tokclf.corpus.forms.table import COLUMNS
from spacy_tokclf.corpus.forms.table import FORMS as TABLE
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.corpus.records import CharSpan, Record
from spacy_tokclf.corpus.tagged import read_tagged
from spacy_tokclf.tags import tags_to_spans

ALPHABET = "abyzéß中🎉 .,'\"#-|_/\\0"
LABELS = ("PER", "LOC", "creative-work", "B-X", "é 1")
_KEYS = """
    text label labels entities spans tokens ner_tags tags data annotations result value start end start_offset
    end_offset answer content annotation points tokenized_text ner ents paragraphs sentences raw orth classes
    predictions hypertextlabels missing type has_unknown_spaces from_name to_name globalOffsets completed_by id
    document words sents
"""
KEYS = _KEYS.split()
TARGETS: tuple[tuple[str, str | None], ...] = (
    ("x.spacy", None),
    ("x.conll", None),
    ("x.jsonl", "prodigy"),
    ("y.jsonl", "doccano"),
    ("x.json", "label-studio"),
)


def random_texts(rng: random.Random) -> list[Text]:
    """Make some short texts."""
    made = []
    for _ in range(rng.randint(1, 3)):
        words = tuple("".join(rng.choices(ALPHABET[:8], k=rng.randint(1, 4))) for _ in range(rng.randint(1, 6)))
        spans, at = [], 0
        while at < len(words) and rng.random() < 0.6:
            start = rng.randrange(at, len(words))
            end = rng.randint(start + 1, len(words))
            spans.append((start, end, rng.choice(LABELS)))
            at = end
        made.append(Text(words, tuple(spans)))
    return made


def prepare() -> None:
    """Keep the library of data sets from writing about each file that it cannot read."""
    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity(datasets.utils.logging.CRITICAL)


@cache
def blank() -> Language:
    """A pipeline that reads the data."""
    return spacy.blank("xx")


def judge(rng: random.Random, folder: Path) -> str:
    """Draw one input and judge it.

    rng (random.Random): Draws it.
    folder (Path): Where files are written to.
    RETURNS (str): What became of it.
    """
    path, options = rng.choice((damaged, damaged, damaged, damaged, packed, made_up))(rng, folder)
    try:
        check_agreement(path, options)
        docs = list(read_any(path, blank(), options))
    except (ValueError, ImportError) as error:
        return coded(error)
    check_round_trip(docs, rng, folder)
    return "read"


def check_agreement(path: Path, options: ReadOptions) -> None:
    """Read a file as it is read to score and to train: of columns, all have to find the same, or refuse it."""
    is_columns = next(form.name for form in TABLE if form.sniff(path)) == COLUMNS
    found = {"score": outcome(lambda: score_facts(path, options)) if path.is_file() else None}
    if is_columns:
        names = ("scheme", "token_column", "tag_column", "separator", "encoding")
        corpus = ConllCorpus(path, **{name: getattr(options, name) for name in names})
        found["train"] = outcome(lambda: tag_facts(example.reference for example in corpus(blank())))
        found["convert"] = outcome(lambda: tag_facts(read_any(path, blank(), options)))
        # Entities of white space are trimmed for spaCy, and scored as they stand.
        if not _has_blanks(found["score"]) and len({repr(value) for value in found.values()}) > 1:
            raise AssertionError(f"read in different ways: {found}")


def check_round_trip(docs: list[Doc], rng: random.Random, folder: Path) -> None:
    """Write texts and read them back."""
    name, shape = rng.choice(TARGETS)
    path = folder / name
    try:
        write_any(iter(docs), path, format=shape)
    except ValueError as error:
        if str(error).startswith("[TC"):
            return
        raise
    if path.suffix == ".conll":
        expected = [rows for doc in docs if (rows := row_facts(doc))]
        if not any(token.ent_iob for doc in docs for token in doc):
            return  # columns without any gold are refused
        again = [row_facts(doc) for doc in read_any(path, blank())]
    elif path.suffix == ".spacy":
        expected = list(map(token_facts, docs))
        again = list(map(token_facts, read_any(path, blank())))
    else:
        expected = [text_facts(*annotated_text(doc)) for doc in docs]
        again = [text_facts(one.text, one.spans, one.missing) for one in read_jsonl(path)] if docs else []
    if expected != again:
        raise AssertionError(f"written to {name} ({shape}), read back otherwise:\n{expected}\n{again}")


def _has_blanks(found: Any) -> bool:
    """Tell whether a file was read and has a word of white space."""
    return not isinstance(found, str | None) and any(not word.strip() for word in found[0])


def outcome(read: Callable[[], Any]) -> Any:
    """What a reader finds, or that it refuses the input by a code."""
    try:
        return read()
    except ValueError as error:
        if str(error).startswith("[TC"):
            return "refused"
        raise


def tag_facts(docs: Iterable[Doc]) -> Any:
    """Words, spans, and what is missing."""
    records = list(map(doc_to_record, docs))
    tags = [tag for record in records for tag in record.tags]
    missing = [i for i, tag in enumerate(tags) if tag == "-"]
    words = [word.strip(" \t") for record in records for word in record.words]
    return words, [tags_to_spans(record.tags) for record in records], missing


def score_facts(path: Path, options: ReadOptions) -> Any:
    """The same, of a file of tags, which keeps those of any scheme."""
    file = read_tagged(path, options)
    ends = file.lengths.cumsum().tolist()
    sentences = [file.tags[end - length : end] for end, length in zip(ends, file.lengths.tolist(), strict=True)]
    kinds = {tag[0] for tag in file.tags}
    scheme = "BILOU" if kinds & {"L", "U"} else "IOBES" if kinds & {"S", "E"} else "IOB2"
    missing = [i for i, tag in enumerate(file.tags) if tag == "-"]
    return file.tokens, [tags_to_spans(tags, scheme) for tags in sentences], missing


def row_facts(doc: Doc) -> Any:
    """What columns hold: words and tags, but for words of white space."""
    record = doc_to_record(doc)
    rows = zip(record.words, record.tags, strict=True)
    return [(word, tag) for word, tag in rows if doc.has_unknown_spaces or not word.isspace()]


def token_facts(doc: Doc) -> Any:
    """What a DocBin holds: tokens with their tags, and the text."""
    return doc_text(doc), [(token.text, token.ent_iob_, token.ent_type_) for token in doc]


def annotated_text(doc: Doc) -> tuple[str, list[CharSpan], list[tuple[int, int]]]:
    """Give text, spans and what is missing of a Doc."""
    spans = [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
    return doc_text(doc), spans, [(token.idx, token.idx + len(token)) for token in doc if not token.ent_iob]


def text_facts(text: str, spans: list[CharSpan], missing: list[tuple[int, int]]) -> Any:
    """What JSON holds: the text, its spans, and of which characters nothing is known."""
    unknown = {i for start, end in missing for i in range(start, end) if not text[i].isspace()}
    return text, spans, unknown - {i for start, end, _ in spans for i in range(start, end)}


def damaged(rng: random.Random, folder: Path) -> tuple[Path, ReadOptions]:
    """Damage one file."""
    form: DataForm = rng.choice(FORMS)
    path = form.save(
        random_texts(rng), folder, lambda data: damage(rng, data, rng.choice((0, 1, 1, 2, 3, 6)), MUTATIONS)
    )
    own = ReadOptions(**(form.options or {}))
    return path, own if rng.random() < 0.8 else ReadOptions(overlap="first", keep_tokens=True)


def packed(rng: random.Random, folder: Path) -> tuple[Path, ReadOptions]:
    """Damage a file that is no text: a parquet file, an archive, what is in it."""
    form = rng.choice([form for form in FORMS if "." in form.file and not form.options])
    texts = random_texts(rng)
    kind = rng.choice(("parquet", "gz", "gz inside", "zip", "zip inside"))
    times = rng.choice((0, 1, 1, 2))
    if kind == "parquet":
        target = folder / "p.parquet"
        write_any(records_to_docs([Record(list(text.words), text.tags()) for text in texts], blank().vocab), target)
        target.write_bytes(damage(rng, target.read_bytes(), times, BINARY))
        return target, ReadOptions()
    target = folder / f"{form.file}.{kind.split()[0]}"
    data = form.save(texts, folder).read_bytes()
    if kind.endswith("inside"):
        data = pack(target, form.file, damage(rng, data, times, BINARY))
    else:
        data = damage(rng, pack(target, form.file, data), times, BINARY)
    target.write_bytes(data)
    return target, ReadOptions()


def pack(target: Path, name: str, data: bytes) -> bytes:
    """Pack a file."""
    if target.suffix == ".gz":
        return gzip.compress(data)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def made_up(rng: random.Random, folder: Path) -> tuple[Path, ReadOptions]:
    """Make up rows of any cells, or JSON of known keys in any arrangement."""
    options = ReadOptions(offsets=rng.choice(("check", "trust")), predictions=rng.random() < 0.5)
    if rng.random() < 0.4:
        rows = [[any_cell(rng) for _ in range(rng.randint(0, 4))] for _ in range(rng.randint(0, 6))]
        path, text = folder / "m.conll", "\n".join(map("\t".join, rows))
    else:
        items = [any_json(rng, rng.randint(1, 4), top=True) for _ in range(rng.randint(1, 3))]
        lines = rng.random() < 0.5
        path = folder / ("m.jsonl" if lines else "m.json")
        text = "\n".join(map(json.dumps, items)) if lines else json.dumps(items)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path, options


def any_cell(rng: random.Random) -> str:
    """Draw a cell."""
    return rng.choice(TOKENS) if rng.random() < 0.4 else any_text(rng)


def any_json(rng: random.Random, depth: int, *, top: bool = False) -> Any:
    """Draw a value, at most so deep; at the top often a text with what may belong to it."""
    kind = rng.random()
    if top and kind < 0.6:
        more = rng.sample(KEYS[1:20], rng.randint(0, 5))
        return {"text": any_text(rng, 20), **{key: any_json(rng, depth) for key in more}}
    if depth and kind < 0.45:
        return {key: any_json(rng, depth - 1) for key in rng.sample(KEYS, rng.randint(0, 5))}
    if depth and kind < 0.8:
        return [any_json(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    leaves = (None, True, False, rng.randint(-3, 30), rng.uniform(-2, 30), float("nan"), float("inf"), 10**30)
    return rng.choice((*leaves, any_text(rng, 12), any_text(rng, 12), rng.choice((*LABELS, "O", "B-PER"))))

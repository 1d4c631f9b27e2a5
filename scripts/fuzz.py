"""Read damaged annotated data of every form: each input is read or refused by a code, and what is read can be written
and read back. Prints what it did, and exits with 1 if anything else happened.

    python scripts/fuzz.py --minutes 10 --processes 2
"""

import argparse
import gzip
import io
import json
import multiprocessing
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "helpers"))

import spacy
from data_forms import FORMS, DataForm, Text
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

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

#: Seconds that reading one input may take; they have a few hundred bytes.
PATIENCE = 10
ALPHABET = "abyzéß中🎉 .,'\"#-|_/\\0"
LABELS = ("PER", "LOC", "creative-work", "B-X", "é 1")
#: What means something in one of the forms.
BLANKS = ("\t", "\n", "\n\n", "\r", "\r\n", " ", "  ", "\ufeff", "\u2028", "\x85", "\x00", "\ud800")
_MARKS = """
    " ' | , ; # - _ { } [ ] : {} [] O o B I B- I-PER B-PER b-per B_PER PER-B E-PER L-PER S-PER U-PER null true -1 1e999
    NaN 99999999999999999999 "text" "label" "labels" "entities" "spans" "tokens" "ner_tags" "start" "end" "data"
    -DOCSTART- "annotations" "result" "value" "answer":"reject" "missing" <html> \\ud83d \\u0000 PK\x03\x04
"""
LINES = ("# ", "# global.columns = ID FORM NER\n", "-DOCSTART- O\n", "R1\tx Arg1:T1 Arg2:T1\n", "\x1f\x8b")
TOKENS = (*BLANKS, *_MARKS.split(), *LINES, "T1\tPER 0 3\tabc\n", "T1\tPER 0 3;5 6\tabc d\n")
_KEYS = """
    text label labels entities spans tokens ner_tags tags data annotations result value start end start_offset
    end_offset answer content annotation points tokenized_text ner ents paragraphs sentences raw orth classes
    predictions hypertextlabels missing type has_unknown_spaces from_name to_name globalOffsets completed_by id
    document words sents
"""
KEYS = _KEYS.split()
#: Encodings that a file may be in.
ENCODINGS = ("utf-16", "utf-8-sig", "utf-16-le", "cp1252", "utf-32")
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


def cut(rng: random.Random, data: bytes) -> bytes:
    """Leave out a piece."""
    start, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:start] + data[min(end, start + rng.choice((1, 4, 40))) :]


def truncate(rng: random.Random, data: bytes) -> bytes:
    """Leave out the end."""
    return data[: rng.randint(0, len(data))]


def flip(rng: random.Random, data: bytes) -> bytes:
    """Change one bit."""
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def put(rng: random.Random, data: bytes) -> bytes:
    """Put in something that means something."""
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(TOKENS).encode("utf-8", "surrogatepass") + data[at:]


def replace(rng: random.Random, data: bytes) -> bytes:
    """Put something in the place of something else of the file, everywhere or once."""
    pieces = data.replace(b"\n", b" ").replace(b"\t", b" ").replace(b'"', b" ").split(b" ")
    old = rng.choice(pieces)
    new = rng.choice((rng.choice(TOKENS).encode("utf-8", "surrogatepass"), rng.choice(pieces)))
    return data.replace(old, new, rng.choice((-1, 1))) if old else data


def repeat(rng: random.Random, data: bytes) -> bytes:
    """Say something twice."""
    start, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[start:end] + data[end:]


def swap_lines(rng: random.Random, data: bytes) -> bytes:
    """Put the lines in another order."""
    rows = data.split(b"\n")
    rng.shuffle(rows)
    return b"\n".join(rows)


def encode(rng: random.Random, data: bytes) -> bytes:
    """Write it in another encoding."""
    return data.decode("utf-8", "replace").encode(
        rng.choice(("utf-16", "utf-8-sig", "utf-16-le", "cp1252", "utf-32")), "replace"
    )


def line_ends(rng: random.Random, data: bytes) -> bytes:
    """Write other line ends."""
    return data.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", b"")))


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(cut, truncate, flip, put, put, put, replace, replace, replace, repeat, swap_lines, encode, line_ends),
)


class Watch:
    """Reads inputs, counts what became of them, and keeps those that went wrong."""

    def __init__(self, folder: Path) -> None:
        """Start at zero; files are written to the folder."""
        self.nlp = spacy.blank("xx")
        self.folder = folder
        self.counts: Counter[tuple[str, str]] = Counter()
        self.findings: list[tuple[str, str, bytes]] = []

    def see(self, form: str, path: Path, options: ReadOptions, rng: random.Random, data: bytes) -> None:
        """Read one input, and write and read what it holds."""
        outcome = "read"
        signal.alarm(PATIENCE)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.check_agreement(path, options)
                docs = list(read_any(path, self.nlp, options))
                self.check_round_trip(docs, rng)
        except (ValueError, ImportError) as error:
            outcome = str(error)[1:6] if str(error).startswith("[TC") else self.found(form, data)
        except Exception:  # noqa: BLE001 anything else is what is looked for
            outcome = self.found(form, data)
        finally:
            signal.alarm(0)
        self.counts[form, outcome] += 1

    def check_agreement(self, path: Path, options: ReadOptions) -> None:
        """Read a file as it is read to score and to train: of columns, all have to find the same, or refuse it."""
        is_columns = next(form.name for form in TABLE if form.sniff(path)) == COLUMNS
        found = {"score": outcome(lambda: score_facts(path, options)) if path.is_file() else None}
        if is_columns:
            names = ("scheme", "token_column", "tag_column", "separator", "encoding")
            corpus = ConllCorpus(path, **{name: getattr(options, name) for name in names})
            found["train"] = outcome(lambda: tag_facts(example.reference for example in corpus(self.nlp)))
            found["convert"] = outcome(lambda: tag_facts(read_any(path, self.nlp, options)))
            # Entities of white space are trimmed for spaCy, and scored as they stand.
            if not _has_blanks(found["score"]) and len({repr(value) for value in found.values()}) > 1:
                raise AssertionError(f"read in different ways: {found}")

    def check_round_trip(self, docs: list[Doc], rng: random.Random) -> None:
        """Write texts and read them back."""
        name, shape = rng.choice(TARGETS)
        path = self.folder / name
        try:
            write_any(iter(docs), path, format=shape)
        except ValueError as error:
            if str(error).startswith("[TC"):
                return
            raise
        if path.suffix == ".conll":
            expected = [rows for doc in docs if (rows := row_facts(doc))]
            again = [row_facts(doc) for doc in read_any(path, self.nlp)] if expected else []
        elif path.suffix == ".spacy":
            expected = list(map(token_facts, docs))
            again = list(map(token_facts, read_any(path, self.nlp)))
        else:
            expected = [text_facts(*annotated_text(doc)) for doc in docs]
            again = [text_facts(one.text, one.spans, one.missing) for one in read_jsonl(path)] if docs else []
        if expected != again:
            raise AssertionError(f"written to {name} ({shape}), read back otherwise:\n{expected}\n{again}")

    def found(self, form: str, data: bytes) -> str:
        """Keep an input that went wrong."""
        self.findings.append((form, traceback.format_exc(limit=-6), data))
        return "FOUND"


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


def damaged(watch: Watch, rng: random.Random, folder: Path) -> None:
    """Damage one file."""
    form: DataForm = rng.choice(FORMS)
    seen = b""

    def change(data: bytes) -> bytes:
        nonlocal seen
        for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
            data = rng.choice(MUTATIONS)(rng, data)
        seen = data
        return data

    path = form.save(random_texts(rng), folder, change)
    options = (
        ReadOptions(**(form.options or {})) if rng.random() < 0.8 else ReadOptions(overlap="first", keep_tokens=True)
    )
    watch.see(form.name, path, options, rng, seen)


def packed(watch: Watch, rng: random.Random, folder: Path) -> None:
    """Damage a file that is no text: a DocBin, what is in it, a parquet file, an archive, what is in it."""
    form = rng.choice([form for form in FORMS if "." in form.file and not form.options])
    texts = random_texts(rng)
    path = form.save(texts, folder)
    kind = rng.choice(("spacy", "spacy inside", "parquet", "gz", "gz inside", "zip", "zip inside"))
    if kind.startswith(("spacy", "parquet")):
        target = folder / f"p.{kind.split()[0]}"
        records = [Record(list(text.words), text.tags()) for text in texts]
        write_any(records_to_docs(records, watch.nlp.vocab), target)
    else:
        target = folder / f"{form.file}.{kind.split()[0]}"
    data = (target if target.suffix in (".spacy", ".parquet") else path).read_bytes()
    data = zlib.decompress(data) if kind == "spacy inside" else data
    times = rng.choice((0, 1, 1, 2))
    binary = (cut, truncate, flip, flip, flip, put, repeat)
    if kind in ("gz", "zip"):
        data = pack(target, form.file, data)
    for _ in range(times):
        data = rng.choice(binary)(rng, data)
    if kind in ("gz inside", "zip inside"):
        data = pack(target, form.file, data)
    data = zlib.compress(data) if kind == "spacy inside" else data
    target.write_bytes(data)
    watch.see(kind, target, ReadOptions(), rng, data)


def pack(target: Path, name: str, data: bytes) -> bytes:
    """Pack a file."""
    if target.suffix == ".gz":
        return gzip.compress(data)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def structures() -> st.SearchStrategy[Any]:
    """JSON of known keys in any arrangement."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 30),
        st.floats(),
        st.text(max_size=12),
        st.sampled_from((*LABELS, "O", "B-PER")),
    )
    rows = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
        max_leaves=14,
    )
    known = st.fixed_dictionaries({"text": st.text(max_size=20)}, optional=dict.fromkeys(KEYS[1:20], rows))
    return st.lists(st.one_of(rows, known), min_size=1, max_size=3)


def columns() -> st.SearchStrategy[str]:
    """Rows of any cells."""
    cell = st.one_of(st.text(max_size=5), st.sampled_from(TOKENS))
    return st.lists(st.lists(cell, max_size=4).map("\t".join), max_size=6).map("\n".join)


def made(watch: Watch, rng: random.Random, folder: Path, number: int) -> None:
    """Read what hypothesis makes up, a thousand inputs at a time."""

    @seed(rng.randrange(1 << 30))
    @settings(
        max_examples=number,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(structures(), columns()))
    def run(value: Any) -> None:
        lines = rng.random() < 0.5
        text = value if isinstance(value, str) else "\n".join(map(json.dumps, value)) if lines else json.dumps(value)
        path = folder / ("m.conll" if isinstance(value, str) else "m.jsonl" if lines else "m.json")
        data = text.encode("utf-8", "surrogatepass")
        path.write_bytes(data)
        options = ReadOptions(offsets=rng.choice(("check", "trust")), predictions=rng.random() < 0.5)
        watch.see("made up", path, options, rng, data)

    run()


def batches(watch: Watch, rng: random.Random, folder: Path) -> Iterator[None]:
    """Go on for ever, a hundred inputs at a time."""
    while True:
        for _ in range(80):
            damaged(watch, rng, folder)
        for _ in range(10):
            packed(watch, rng, folder)
        made(watch, rng, folder, 20)
        yield


def late(*_: object) -> None:
    """Stop what takes too long."""
    raise TimeoutError(f"not done in {PATIENCE} seconds")


def work(number: int, seconds: float, inputs: int) -> tuple[Counter[tuple[str, str]], list[tuple[str, str, bytes]]]:
    """Fuzz in one process."""
    rng = random.Random(number)
    signal.signal(signal.SIGALRM, late)
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as name:
        watch = Watch(Path(name))
        for _ in batches(watch, rng, Path(name)):
            if time.monotonic() > end or watch.counts.total() >= inputs or len(watch.findings) > 50:
                return watch.counts, watch.findings
    raise AssertionError


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long at most")
    parser.add_argument("--inputs", type=int, default=200_000, help="how many inputs at most")
    parser.add_argument("--processes", type=int, default=2, help="how many processes")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other inputs")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that went wrong")
    args = parser.parse_args()
    jobs = [(args.seed * 1000 + i, args.minutes * 60, args.inputs // args.processes) for i in range(args.processes)]
    with multiprocessing.Pool(args.processes) as pool:
        done = pool.starmap(work, jobs)
    counts: Counter[tuple[str, str]] = sum((one for one, _ in done), Counter())
    findings = [finding for _, found in done for finding in found]
    for form in sorted({form for form, _ in counts}):
        own = {outcome: n for (name, outcome), n in counts.items() if name == form}
        refused = ", ".join(
            f"{code} {n}" for code, n in sorted(own.items(), key=lambda item: -item[1]) if code != "read"
        )
        print(f"{form}: {sum(own.values())} inputs, {own.get('read', 0)} read; refused: {refused}")
    for number, (form, error, data) in enumerate(findings):
        print(f"\n--- {form}\n{error}{data[:600]!r}")
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            (args.keep / f"{number}.input").write_bytes(data)
    print(f"{counts.total()} inputs, {len(findings)} findings")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())

"""Annotated texts written in the forms that other tools write: what they are read from, without any code of ours.

A text is a list of words with one blank between them, and spans of words. `FORMS` has a writer for each form. Texts
without words are in no form.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Span = tuple[int, int, str]


class Text(NamedTuple):
    """Words, and spans of them: first, one past the last, label."""

    words: tuple[str, ...]
    spans: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        """The words with a blank between each two."""
        return " ".join(self.words)

    @property
    def tokens(self) -> list[tuple[int, int]]:
        """Start and end of each word, in characters."""
        starts = [sum(len(word) + 1 for word in self.words[:i]) for i in range(len(self.words))]
        return [(start, start + len(word)) for start, word in zip(starts, self.words, strict=True)]

    @property
    def chars(self) -> list[Span]:
        """The spans, in characters."""
        return [(self.tokens[start][0], self.tokens[end - 1][1], label) for start, end, label in self.spans]

    def tags(
        self, first: str = "B", middle: str = "I", last: str = "I", single: str = "B", form: str = "{p}-{t}"
    ) -> list[str]:
        """One tag a word, in any scheme that knows where in its span a word stands."""
        tags = ["O"] * len(self.words)
        for start, end, label in self.spans:
            for i in range(start, end):
                prefix = single if end - start == 1 else first if i == start else last if i == end - 1 else middle
                tags[i] = form.format(p=prefix, t=label)
        return tags


Writer = Callable[[Sequence[Text]], str | dict[str, str]]


class DataForm(NamedTuple):
    """A form.

    name (str): What it is.
    file (str): How a file of it is called, or a folder.
    write (Callable[[Sequence[Text]], str | dict[str, str]]): Writes texts; for a folder, its files by name.
    options (dict[str, Any] | None): Options of reading that it needs.
    """

    name: str
    file: str
    write: Writer
    options: dict[str, Any] | None = None

    def save(self, texts: Sequence[Text], folder: Path, change: Callable[[bytes], bytes] = bytes) -> Path:
        """Write texts to a file or folder.

        texts (Sequence[Text]): The texts.
        folder (Path): Where.
        change (Callable[[bytes], bytes]): What becomes of each file.
        RETURNS (Path): The file or folder.
        """
        path, made = folder / self.file, self.write(texts)
        files = {path: made} if isinstance(made, str) else {path / name: one for name, one in made.items()}
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(change(content.encode("utf-8")))
        return path


def columns(
    texts: Sequence[Text], row: Callable[[int, str, str], str], head: str = "", before: str = "", **tags: str
) -> str:
    """Write a row a word, a blank line after each text."""
    blocks = []
    for number, text in enumerate(texts, 1):
        rows = [row(i, word, tag) for i, (word, tag) in enumerate(zip(text.words, text.tags(**tags), strict=True), 1)]
        blocks.append(before.format(number=number, text=text.text) + "\n".join(rows) + "\n")
    return head + "\n".join(blocks)


def tabs(i: int, word: str, tag: str) -> str:
    return f"{word}\t{tag}"


def lines(rows: Sequence[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def whole(rows: Any, indent: int | None = None) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=indent)


def kaggle(texts: Sequence[Text]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["Sentence #", "Word", "POS", "Tag"])
    for number, text in enumerate(texts, 1):
        for i, (word, tag) in enumerate(zip(text.words, text.tags(), strict=True)):
            writer.writerow([f"Sentence: {number}" if i == 0 else "", word, "NN", tag])
    return out.getvalue()


def quoted_tsv(texts: Sequence[Text]) -> str:
    rows = ["sentence_id\tword\ttag"]
    rows += [
        f'{number}\t"{word}"\t"{tag}"'
        for number, text in enumerate(texts)
        for word, tag in zip(text.words, text.tags(), strict=True)
    ]
    return "\n".join(rows) + "\n"


def hipe(texts: Sequence[Text]) -> str:
    head = "TOKEN\tNE-COARSE-LIT\tNE-COARSE-METO\tMISC\n# hipe2022:document_id = d1\n"
    return columns(texts, lambda i, word, tag: f"{word}\t{tag}\tO\t_", head)


def studio(texts: Sequence[Text], kind: str = "labels", key: str = "text", **more: Any) -> list[dict[str, Any]]:
    tasks = []
    for number, text in enumerate(texts, 1):
        regions = []
        for i, (start, end, label) in enumerate(text.chars):
            value: dict[str, Any] = {"start": start, "end": end, "text": text.text[start:end], kind: [label]}
            if kind == "hypertextlabels":
                offsets = {"globalOffsets": {"start": start, "end": end}, "startOffset": start, "endOffset": end}
                value |= {"start": "/text()[1]", "end": "/text()[1]", **offsets}
            regions.append({"id": f"r{i}", "from_name": "l", "to_name": "t", "type": kind, "value": value})
        data = {key: text.text, **more}
        tasks.append({"id": number, "data": data, "annotations": [{"id": number, "result": regions}]})
    return tasks


def studio_min(texts: Sequence[Text]) -> str:
    rows = []
    for number, text in enumerate(texts, 1):
        regions = [{"start": s, "end": e, "text": text.text[s:e], "labels": [label]} for s, e, label in text.chars]
        row: dict[str, Any] = {"id": number, "text": text.text, "annotation_id": number, "lead_time": 1.5}
        rows.append(row | ({"label": regions} if regions else {}))
    return whole(rows)


def prodigy(texts: Sequence[Text]) -> str:
    rows = []
    for text in texts:
        tokens = [{"text": text.text[s:e], "start": s, "end": e, "id": i} for i, (s, e) in enumerate(text.tokens)]
        spans = [
            {"start": c[0], "end": c[1], "label": c[2], "token_start": w[0], "token_end": w[1] - 1}
            for c, w in zip(text.chars, text.spans, strict=True)
        ]
        rows.append({"text": text.text, "_input_hash": 1, "tokens": tokens, "spans": spans, "answer": "accept"})
    return lines(rows)


def doccano(texts: Sequence[Text], text_key: str = "text", key: str = "label") -> str:
    return lines([{"id": 7, text_key: text.text, key: [list(span) for span in text.chars]} for text in texts])


def doccano_relations(texts: Sequence[Text]) -> str:
    rows = []
    for text in texts:
        entities = [
            {"id": i, "label": label, "start_offset": start, "end_offset": end}
            for i, (start, end, label) in enumerate(text.chars)
        ]
        rows.append({"id": 1, "text": text.text, "entities": entities, "relations": [], "Comments": []})
    return lines(rows)


def dataturks(texts: Sequence[Text]) -> str:
    rows = []
    for text in texts:
        points = [
            {"label": [label], "points": [{"start": start, "end": end - 1, "text": text.text[start:end]}]}
            for start, end, label in text.chars
        ]
        rows.append({"content": text.text, "annotation": points, "extras": None, "metadata": {"status": "done"}})
    return lines(rows)


def gliner(texts: Sequence[Text]) -> str:
    rows = [{"tokenized_text": text.words, "ner": [[s, e - 1, label] for s, e, label in text.spans]} for text in texts]
    return whole(rows)


def tuples(texts: Sequence[Text]) -> list[Any]:
    return [[text.text, {"entities": [list(span) for span in text.chars]}] for text in texts]


def spacy2(texts: Sequence[Text]) -> str:
    documents = []
    for number, text in enumerate(texts):
        tokens = [
            {"id": i, "orth": word, "space": " ", "tag": "NN", "ner": tag}
            for i, (word, tag) in enumerate(zip(text.words, text.tags("B", "I", "L", "U"), strict=True))
        ]
        tokens[-1]["space"] = ""
        documents.append({"id": number, "paragraphs": [{"raw": text.text, "sentences": [{"tokens": tokens}]}]})
    return whole(documents)


def doc_json(texts: Sequence[Text]) -> list[dict[str, Any]]:
    return [
        {
            "text": text.text,
            "ents": [{"start": start, "end": end, "label": label} for start, end, label in text.chars],
            "tokens": [{"id": i, "start": start, "end": end} for i, (start, end) in enumerate(text.tokens)],
        }
        for text in texts
    ]


def tagged_rows(texts: Sequence[Text], words: str = "tokens", tags: str = "ner_tags", **more: Any) -> str:
    return lines([{words: text.words, tags: text.tags(), **more} for text in texts])


def text_and_tokens(texts: Sequence[Text]) -> str:
    return lines([{"text": text.text, "tokens": text.words, "ner_tags": text.tags()} for text in texts])


def bars(texts: Sequence[Text], middle: str = "") -> str:
    return "".join(
        " ".join(f"{word}{middle}|{tag}" for word, tag in zip(text.words, text.tags("I"), strict=True)) + "\n"
        for text in texts
    )


def brat(texts: Sequence[Text]) -> dict[str, str]:
    files = {}
    for number, text in enumerate(texts, 1):
        files[f"d{number:03}.txt"] = text.text + "\n"
        files[f"d{number:03}.ann"] = "".join(
            f"T{i}\t{label} {start} {end}\t{text.text[start:end]}\n"
            for i, (start, end, label) in enumerate(text.chars, 1)
        )
    return files


def entity_rows(texts: Sequence[Text]) -> str:
    """Rows as `annotate` writes them: entities with scores, and what annotated."""
    return lines(
        [
            {
                "text": text.text,
                "entities": [
                    {"start": start, "end": end, "label": label, "score": 0.5, "text": text.text[start:end]}
                    for start, end, label in text.chars
                ],
                "tokens": [list(token) for token in text.tokens],
                "tokclf": {"model": "en_pipeline", "version": "0.0.0", "threshold": 0.0},
            }
            for text in texts
        ]
    )


def entity_table(texts: Sequence[Text]) -> str:
    """A row for each entity, or for a text without any."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["number", "start", "end", "label", "score", "text", "document"])
    for number, text in enumerate(texts, start=1):
        found = [(start, end, label, 0.5, text.text[start:end]) for start, end, label in text.chars] or [("",) * 5]
        for i, entity in enumerate(found):
            rows.writerow([number, *entity, "" if i else text.text])
    return file.getvalue()


FORMS = (
    DataForm("CoNLL: tabs, IOB2", "a.conll", lambda texts: columns(texts, tabs)),
    DataForm("CoNLL: blanks", "a.txt", lambda texts: columns(texts, lambda i, word, tag: f"{word} {tag}")),
    DataForm(
        "CoNLL-2003: four columns, -DOCSTART-",
        "eng.testa",
        lambda texts: columns(texts, lambda i, word, tag: f"{word} NN B-NP {tag}", "-DOCSTART- -X- -X- O\n\n"),
    ),
    DataForm("CoNLL: IOB1", "a.iob1", lambda texts: columns(texts, tabs, first="I", single="I")),
    DataForm("CoNLL: IOBES", "a.bioes", lambda texts: columns(texts, tabs, last="E", single="S")),
    DataForm("CoNLL: BILOU", "a.bilou", lambda texts: columns(texts, tabs, last="L", single="U")),
    DataForm("CoNLL: labels alone (IO)", "a.io", lambda texts: columns(texts, tabs, form="{t}")),
    DataForm("CoNLL: prefix behind the label", "a.conll", lambda texts: columns(texts, tabs, form="{t}-{p}")),
    DataForm(
        "CoNLL: prefix in lower case",
        "a.conll",
        lambda texts: columns(texts, tabs, first="b", middle="i", last="i", single="b"),
    ),
    DataForm("CoNLL: B_TYPE", "a.conll", lambda texts: columns(texts, tabs, form="{p}_{t}")),
    DataForm("CoNLL: commas", "a.csv", lambda texts: columns(texts, lambda i, word, tag: f"{word},{tag}")),
    DataForm(
        "CoNLL: comments before a sentence",
        "a.conll",
        lambda texts: columns(texts, tabs, before="# id s{number}\tdomain=en\n"),
    ),
    DataForm(
        "CoNLL-U Plus: # global.columns",
        "a.conllup",
        lambda texts: columns(
            texts,
            lambda i, word, tag: f"{i}\t{word}\t{tag}\t_",
            "# global.columns = ID FORM NER MISC\n",
            "# text = {text}\n",
        ),
    ),
    DataForm(
        "Universal NER",
        "en-ud-test.iob2",
        lambda texts: columns(
            texts, lambda i, word, tag: f"{i}\t{word}\t{tag}\t-\tann1", before="# sent_id = {number}\n# text = {text}\n"
        ),
        {"token_column": 1, "tag_column": 2},
    ),
    DataForm(
        "MultiCoNER",
        "en.conll",
        lambda texts: columns(texts, lambda i, word, tag: f"{word} _ _ {tag}", before="# id {number}\tdomain=en\n"),
    ),
    DataForm(
        "GermEval 2014",
        "de.tsv",
        lambda texts: columns(
            texts, lambda i, word, tag: f"{i}\t{word}\t{tag}\tO", before="#\thttp://example.org [2009-10-17]\n"
        ),
        {"token_column": 1, "tag_column": 2},
    ),
    DataForm("HIPE", "hipe.tsv", hipe, {"tag_column": "NE-COARSE-LIT"}),
    DataForm("CSV with a header and a column of sentences", "ner.csv", kaggle),
    DataForm("TSV with a header and quotes", "ner.tsv", quoted_tsv),
    DataForm("word|tag, a sentence a line", "a.iob", bars),
    DataForm("word|pos|tag, a sentence a line", "a.iob", lambda texts: bars(texts, "|NN")),
    DataForm("word|tag, a pair a line", "a.iob", lambda texts: columns(texts, lambda i, word, tag: f"{word}|{tag}")),
    DataForm("brat, a folder", "brat", brat),
    DataForm("Doccano", "a.jsonl", doccano),
    DataForm("Doccano: labels", "a.jsonl", lambda texts: doccano(texts, key="labels")),
    DataForm("Doccano: data", "a.jsonl", lambda texts: doccano(texts, "data")),
    DataForm("Doccano with relations", "a.jsonl", doccano_relations),
    DataForm("Prodigy", "a.jsonl", prodigy),
    DataForm("Label Studio: labels", "a.json", lambda texts: whole(studio(texts))),
    DataForm("Label Studio: hypertextlabels", "a.json", lambda texts: whole(studio(texts, "hypertextlabels"))),
    DataForm("Label Studio: text under a key of one's own", "a.json", lambda texts: whole(studio(texts, key="review"))),
    DataForm(
        "Label Studio: --text-key",
        "a.json",
        lambda texts: whole(studio(texts, key="review", title="Some other string")),
        {"text_key": "review"},
    ),
    DataForm("Label Studio: JSON-MIN", "a.json", studio_min),
    DataForm("DataTurks", "a.json", dataturks),
    DataForm("GLiNER", "a.json", gliner),
    DataForm("TRAIN_DATA of spaCy as JSON", "a.json", lambda texts: whole(tuples(texts))),
    DataForm("TRAIN_DATA of spaCy, a pair a line", "a.jsonl", lambda texts: lines(tuples(texts))),
    DataForm(
        "TRAIN_DATA of spaCy as objects", "a.json", lambda texts: whole([{"text": t[0], **t[1]} for t in tuples(texts)])
    ),
    DataForm(
        "classes and annotations",
        "a.json",
        lambda texts: whole({"classes": ["PER", "LOC"], "annotations": tuples(texts)}),
    ),
    DataForm("training JSON of spaCy v2", "a.json", spacy2),
    DataForm("Doc.to_json, a list", "a.json", lambda texts: whole(doc_json(texts))),
    DataForm("Doc.to_json, a line each", "a.jsonl", lambda texts: lines(doc_json(texts))),
    DataForm("rows of tokens and tags", "a.jsonl", tagged_rows),
    DataForm(
        "rows of tokens and tags, a list",
        "a.json",
        lambda texts: whole([json.loads(row) for row in tagged_rows(texts).splitlines()]),
    ),
    DataForm("rows with text, tokens and tags", "a.jsonl", text_and_tokens),
    DataForm("JSON printed over many lines", "a.json", lambda texts: whole(tuples(texts), indent=2)),
    DataForm(
        "JSON objects printed one after the other",
        "a.json",
        lambda texts: "\n".join(whole(one, 2) for one in doc_json(texts)),
    ),
    DataForm(
        "rows under one key",
        "a.json",
        lambda texts: whole({"data": [json.loads(row) for row in doccano(texts).splitlines()]}),
    ),
    DataForm("rows of entities with scores", "a.jsonl", entity_rows),
    DataForm("table of entities", "a.csv", entity_table),
)

"""Annotate a shard: what every process of every engine does."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...corpus.docs import doc_scores
from ...errors import Errors
from ...pipeline.load import load_pipeline
from ...pipeline.token_classifier import find_component
from ...runtime.blame import short
from ...runtime.device import choose_gpu, set_device
from ...runtime.files import whole_file
from ..items import Annotated, Item
from ..predict import annotate_items
from .corpus import PARQUET, Corpus, Part
from .cut import Piece, Shard
from .identity import file_facts
from .manifest import quarantine_name, shard_name
from .rows import WRITTEN, Columns, Row, json_line, parquet_schema, read_rows
from .writers import open_writer, output_schema

#: A text that every pipeline can annotate.
PROBE = "Ada Lovelace was born in London."
#: Of how many texts that failed, and of how many characters of what is said, a shard reports.
SHOWN, LENGTH = 3, 200


@dataclass(frozen=True)
class Setting:
    """What a process has to know. It travels as JSON.

    model (str): Name or folder of the pipeline.
    corpus (Corpus): The files.
    columns (Columns): Where the texts are.
    out (str): The folder of shards.
    format (str): What shards are: JSONL or PARQUET.
    threshold (float | None): The threshold of the component; None: its own.
    component (str | None): The component, if there are several.
    batch_size (int | None): Texts in a batch; None: the pipeline's own.
    gpu (int): The number of the GPU for all of spaCy, -1 for none.
    device (str | None): The device of the encoder; None: where spaCy computes.
    """

    model: str
    corpus: Corpus
    columns: Columns
    out: str
    format: str
    threshold: float | None = None
    component: str | None = None
    batch_size: int | None = None
    gpu: int = -1
    device: str | None = None

    @property
    def kind(self) -> str:
        """RETURNS (str): What a process needs for itself: "gpu", "cpu", or another kind of torch's devices."""
        kind = (self.device or "cpu").partition(":")[0]
        return "gpu" if self.gpu >= 0 or kind == "cuda" else kind

    def of_process(self, number: int, gpus: int) -> "Setting":
        """Give a process its GPU: the first has the one that is named, the next the next, and so on in turns.

        number (int): The process, from 0.
        gpus (int): How many GPUs there are.
        RETURNS (Setting): The setting of the process.
        """
        gpu = self.gpu if self.gpu < 0 else (self.gpu + number) % gpus
        if self.device is None or not self.device.startswith("cuda"):
            return replace(self, gpu=gpu)
        first = self.device.partition(":")[2] or max(self.gpu, 0)
        return replace(self, gpu=gpu, device=f"cuda:{(int(first) + number) % gpus}")

    def to_json(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): All of it, for from_json."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Setting":
        """Make it again.

        said (dict[str, Any]): What to_json gave.
        RETURNS (Setting): The same.
        """
        form, parts = said["corpus"]
        corpus = Corpus(form, [Part(*each) for each in parts])
        return cls(**said | {"corpus": corpus, "columns": Columns(*said["columns"])})


def shard_from_json(said: list[Any]) -> Shard:
    """Make a shard again.

    said (list[Any]): The shard as JSON has it.
    RETURNS (Shard): The same.
    """
    number, row, pieces, end = said
    return Shard(number, row, [Piece(*each) for each in pieces], end)


class Annotator:
    """Holds a pipeline, and annotates shards with it."""

    def __init__(self, setting: Setting) -> None:
        """Load the pipeline, and try it.

        setting (Setting): What is to be done.
        RAISES (ValueError): As load_pipeline; TC022, TC255, for threshold and component; TC142, for the GPU; TC143, for
            the device; TC241, TC363, if the pipeline does not work.
        """
        self.setting = setting
        set_device(setting.device)
        choose_gpu(setting.gpu)
        self.nlp = load_pipeline(setting.model)
        if setting.threshold is not None or setting.component is not None:
            pipe = find_component(self.nlp, setting.component)
            pipe.threshold = pipe.cfg["threshold"] if setting.threshold is None else setting.threshold
        with self.nlp.memory_zone():
            try:
                works = self.nlp(PROBE).has_annotation("ENT_IOB")
            except Exception as error:  # of any component
                raise ValueError(Errors.TC363.format(count=1, error=short(error))) from error
        if not works:
            raise ValueError(Errors.TC241.format(found=", ".join(self.nlp.pipe_names) or "none"))
        is_parquet = setting.corpus.form == PARQUET
        self.schema = parquet_schema(setting.corpus) if is_parquet else None
        self.output = None
        if setting.format == PARQUET:
            self.output = output_schema(setting.corpus.form, setting.columns.text, self.schema)

    def annotate(self, shard: Shard) -> dict[str, Any]:
        """Annotate a shard, and write it: whole or not at all.

        shard (Shard): The shard.
        RETURNS (dict[str, Any]): What the manifest says of it.
        RAISES (ValueError): As read_rows.
        """
        setting, out = self.setting, Path(self.setting.out)
        waiting: deque[Row] = deque()
        told = _Told(shard, setting.columns.text)
        path, failed = out / shard_name(shard.number, setting.format), out / quarantine_name(shard.number)
        with ExitStack() as stack:
            made = stack.enter_context(whole_file(path))
            with open_writer(setting.format, made, self.output) as add:
                for each in self._annotated(read_rows(setting.corpus, shard, setting.columns, self.schema), waiting):
                    row = waiting.popleft()
                    error = _coded(each)
                    found = None if error else _entities(each)
                    told.add(row, found, error)
                    add(row, found, error)
            if told.lines:
                with whole_file(failed) as lines:
                    lines.write_bytes(b"".join(told.lines))
            said = told.record | file_facts(made)
        return {"shard": shard.number, "name": path.name, **said, "quarantine": bool(told.lines), "end": shard.end}

    def _annotated(self, rows: Iterable[Row], waiting: deque[Row]) -> Iterator[Annotated]:
        """Annotate the texts of rows; these wait meanwhile."""

        def items() -> Iterator[Item]:
            for row in rows:
                waiting.append(row)
                yield row.item

        return annotate_items(self.nlp, items(), batch_size=self.setting.batch_size, checked=False)


class _Told:
    """Counts what becomes of the rows of a shard."""

    def __init__(self, shard: Shard, text: str | None) -> None:
        self.shard, self.text = shard, text
        self.record: dict[str, Any] = {"rows": 0, "entities": 0, "failed": 0, "errors": [], "replaced": []}
        self.lines: list[bytes] = []

    def add(self, row: Row, found: Any, error: str) -> None:
        """Count a row."""
        said = self.record
        if error:
            number = self.shard.row + said["rows"]
            code = error[1:].partition("]")[0]
            self.lines.append(json_line({"row": number, "code": code, "message": error}))
            said["failed"] += 1
            if len(said["errors"]) < SHOWN:
                said["errors"].append(error[:LENGTH])
        said["rows"] += 1
        said["entities"] += len(found or ())
        names = row.columns if isinstance(row.columns, dict) else row.columns.schema.names
        said["replaced"] += [key for key in WRITTEN if key in names and key not in said["replaced"]]


def _entities(each: Annotated) -> list[tuple[int, int, str, float | None]]:
    """Give (start, end, label, score) of the entities of a text, in characters."""
    scores = doc_scores(each.doc)
    found = []
    for ent in each.doc.ents:
        score = scores.get((ent.start, ent.end, ent.label_))
        found.append((ent.start_char, ent.end_char, ent.label_, None if score is None else float(score)))
    return found


def _coded(each: Annotated) -> str:
    """Give the error of a text, with a code."""
    if not each.error or each.error.startswith("[TC"):
        return each.error
    return Errors.TC510.format(where=each.item.where, detail=each.error)

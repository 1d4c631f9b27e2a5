"""`limit`: what share of the machine's peak throughput of matrix products (GEMM) training and annotating reach.

The speeds are those of `annotate` and `train` in the folder of results; without them, ours are measured briefly."""

import dataclasses
from typing import Any

from wasabi import msg

from ..data import read_texts, sample_posts
from ..flops import Work, work_of
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows, read_rows, significant
from ..system import OURS, Setting, System
from . import annotate, train

#: Rows of an encoder's product in a full batch, and a size at which products are at their best.
ROWS, LARGE = 2048, 2048
#: A training step costs two more passes: gradients of what comes in, and of the weights.
TRAIN_PASSES = 3


def systems(width: int, inner: int) -> list[System]:
    """List the products.

    width (int): Of the encoder's vectors.
    inner (int): Of its feed-forward layers.
    RETURNS (list[System]): One system a precision.
    """
    shapes = [[ROWS, width, 3 * width], [ROWS, width, inner], [ROWS, inner, width], [LARGE, LARGE, LARGE]]
    runtimes = (("fp32", "torch", ()), ("bf16", "torch", ()), ("int8", "ONNX Runtime", annotate.ONNX[:2]))
    return [
        System(
            f"products, {name}",
            "bench.gemm:measured",
            {"precision": precision, "shapes": shapes},
            precision,
            needs=needs,
        )
        for precision, name, needs in runtimes
    ]


def measure(setting: Setting) -> list[Row]:
    """Measure the limit.

    setting (Setting): The setting.
    RETURNS (list[Row]): The peaks of each precision, then what of them each system reaches.
    """
    import spacy
    from spacy.tokens import Doc

    from spacy_tokclf.models.base_shim import encoder_nodes

    nlp = spacy.load(setting.model)
    model = next(pipe.model for _, pipe in nlp.pipeline if encoder_nodes(getattr(pipe, "model", None)))
    config = encoder_nodes(model)[0].shims[0].module.config
    inner = getattr(config, "intermediate_size", None) or config.hidden_dim
    found = wanted(systems(config.hidden_size, inner), setting)
    answers = run_rounds(found, setting, note=lambda result: f"{result['value']:.0f} GFLOP/s")
    rows = make_rows("limit", "GFLOP/s", found, answers)
    peaks = {row["precision"]: row["value"] for row in rows}
    for row in rows:
        row["shapes"] = answers[f"{row['system']} [{row['precision']}]"][1]["shapes"]

    texts = read_texts(setting)
    needed = work_of(model, list(nlp.tokenizer.pipe(texts.texts)))
    rows += shares("limit, annotating", speeds(annotate, setting), needed, needed.flops / texts.words, peaks)
    posts = sample_posts(setting)
    needed = work_of(model, [Doc(nlp.vocab, post.words) for post in posts])
    per_post = TRAIN_PASSES * needed.flops / len(posts)
    return rows + shares("limit, training", speeds(train, setting), needed, per_post, peaks)


def speeds(command: Any, setting: Setting) -> list[Row]:
    """Read the speeds that another command measured, or measure ours briefly.

    command (module): The command.
    setting (Setting): The setting.
    RETURNS (list[Row]): The rows of ours and of the bare loops.
    """
    name = command.__name__.rpartition(".")[2]
    rows = read_rows(setting.results / f"{name}.json")
    if not rows:
        msg.info(f"No {name}.json in the results: ours is measured briefly")
        rows = command.measure(dataclasses.replace(setting, rounds=1, only=(OURS,)))
    return [row for row in rows if row["system"].startswith((OURS, "bare"))]


def shares(work: str, rows: list[Row], needed: Work, flops: float, peaks: dict[str, float]) -> list[Row]:
    """Make a row of each speed: what it comes to in operations a second, over the peak of its precision.

    work (str): What the rows are about.
    rows (list[Row]): The speeds.
    needed (Work): What the texts need.
    flops (float): Operations for one of what the speeds count.
    peaks (dict[str, float]): GFLOP/s by precision.
    RETURNS (list[Row]): The rows; `ratio` is the share of the peak.
    """
    made = []
    for row in rows:
        value, peak = row["value"] * flops / 1e9, peaks.get(row["precision"])
        made.append(
            {
                "work": work,
                "system": row["system"],
                "precision": row["precision"],
                "value": significant(value),
                "unit": "GFLOP/s",
                "ratio": round(value / peak, 3) if peak else None,
                "f1": None,
                "reference": False,
                "mflop": significant(flops / 1e6),
                "pieces_a_word": significant(needed.pieces / needed.words),
            }
        )
    return made

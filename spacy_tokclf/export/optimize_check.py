"""Compare an optimized pipeline with the original: how often their predictions agree, and what a difference costs."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..corpus.convert import read_any
from ..corpus.docs import bare_copy
from ..corpus.options import ReadOptions
from ..errors import Errors
from ..metrics.examples import annotated, compare_examples
from ..metrics.seqeval.counts import count
from ..models.base_shim import encoder_nodes
from ..models.shim import EncoderShim
from ..pipeline.lookup import pipes_with_model
from ..pipeline.token_classifier import TokenClassifier
from ..pipeline.transformer_encoder import TransformerEncoder
from ..runtime.progress import progress
from ..types import Floats32

#: Texts to compare on where no data are given: short and long, noisy and edited, several scripts.
TEXTS = (
    "Off to the gig in Rotterdam tonight with Anouk & the girls!! #excited",
    "The Hague-based insurer Aegon named Lard Friese as its chief executive officer in 2020.",
    "@jsmith_ lol did u see wat Kanye said abt the new iPhone 😂😂 http://t.co/x1",
    "RT : NEW YORK - Mets beat Dodgers 5-3, highlights on ESPN at 11",
    "Im not going back to the mcdonalds on 5th ave, took them 40 min",
    "Angela Merkel besuchte gestern das Deutsche Museum in München.",
    "L'Assemblée nationale a adopté la loi à Paris, selon Le Monde.",
    "Владимир Набоков родился в Санкт-Петербурге.",
    "東京タワーは港区にあります。",
    "yes",
    "so  so \n\n tired   of this   :(",
    " ".join(["Last summer Maria and Tom drove from Lisbon to Porto , then on to Santiago de Compostela ."] * 12),
)
#: How much scores of tags may differ in fp32, for each unit of the largest score.
TOLERANCE = 1e-4
BATCH = 128


class Agreement(NamedTuple):
    """How alike two pipelines are.

    data (str): What they were compared on; "" for texts of our own.
    n_texts, n_tokens (int): How much that is.
    equal_tokens (float): Share of the tokens that have the same entity tag.
    equal_texts (float): Share of the texts that have the same entities.
    difference (float): Largest difference of a score of a tag, before the softmax; of a vector of the encoder, where
        nothing classifies tokens.
    largest (float): Largest score itself.
    f1 (tuple[float, float] | None): F1 of entities before and after, from 0 to 1; None without data.
    model_type (str): Type of the encoder.
    """

    data: str
    n_texts: int
    n_tokens: int
    equal_tokens: float
    equal_texts: float
    difference: float
    largest: float
    f1: tuple[float, float] | None
    model_type: str


def compare_pipelines(
    original: Language, changed: Language, data: str | Path | None, options: ReadOptions | None = None
) -> Agreement:
    """Annotate the same texts with both.

    original (Language): The pipeline; its encoders compute in fp32 from now on.
    changed (Language): The optimized one.
    data (str | Path | None): As for `optimize`.
    options (ReadOptions | None): How to read them.
    RETURNS (Agreement): How alike they are.
    RAISES (ValueError): TC1xx, if the data are at fault; TC314, if nothing in them is annotated.
    """
    model_type = ""
    for pipe in pipes_with_model(original).values():
        for node in encoder_nodes(pipe.model, EncoderShim):
            node.attrs["precision"] = "fp32"
            shim: Any = node.shims[0]
            model_type = shim.config["model_type"]
    n_texts = n_tokens = same_tokens = same_texts = 0
    difference = largest = 0.0
    examples: tuple[list[Example], list[Example]] = [], []
    for golds in minibatch(progress(_texts(original, data, options), label="Comparing"), BATCH):
        before, scores = _annotate(original, golds)
        after, other = _annotate(changed, golds)
        for rows, others in zip(scores, other, strict=True):
            # numpy's maximum, unlike Python's, keeps what is not a number.
            difference = float(np.maximum(difference, np.abs(rows - others).max(initial=0.0)))
            largest = float(np.maximum(largest, np.abs(rows).max(initial=0.0)))
        for gold, one, two in zip(golds, before, after, strict=True):
            equal = [_tag(a) == _tag(b) for a, b in zip(one, two, strict=True)]
            n_texts, n_tokens = n_texts + 1, n_tokens + len(equal)
            same_texts, same_tokens = same_texts + all(equal), same_tokens + sum(equal)
            examples[0].append(Example(one, gold))
            examples[1].append(Example(two, gold))
    return Agreement(
        str(data or ""),
        n_texts,
        n_tokens,
        same_tokens / max(n_tokens, 1),
        same_texts / max(n_texts, 1),
        difference,
        largest,
        None if data is None else (_f1(examples[0], data), _f1(examples[1], data)),
        model_type,
    )


def check_agreement(agreement: Agreement, *, precision: str, max_f1_loss: float) -> None:
    """Refuse a pipeline that is not as good.

    agreement (Agreement): What was found.
    precision (str): What was asked for.
    max_f1_loss (float): How much lower F1 may be.
    RAISES (ValueError): TC308, if F1 is lower still; TC309, if the scores in fp32 are others.
    """
    allowed = TOLERANCE * max(agreement.largest, 1.0)
    if precision == "fp32" and not agreement.difference <= allowed:
        facts = {"found": agreement.difference, "allowed": allowed, "model_type": agreement.model_type}
        raise ValueError(Errors.TC309.format(**facts))
    if agreement.f1 is not None and agreement.f1[0] - agreement.f1[1] > max_f1_loss:
        before, after = (100 * value for value in agreement.f1)
        facts = {"loss": before - after, "before": before, "after": after, "allowed": 100 * max_f1_loss}
        raise ValueError(Errors.TC308.format(data=agreement.data, **facts))


def _texts(nlp: Language, data: str | Path | None, options: ReadOptions | None) -> Iterator[Doc]:
    if data is None:
        return (nlp.make_doc(text) for text in TEXTS)
    return read_any(data, nlp, options)


def _annotate(nlp: Language, golds: Iterable[Doc]) -> tuple[list[Doc], list[Floats32]]:
    """Annotate bare copies of texts. Returns them, and what the token classifiers computed; what the encoders did, if
    there are none."""
    docs = [bare_copy(gold, nlp.vocab) for gold in golds]
    scores: list[Floats32] = []
    vectors: list[Floats32] = []
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, TokenClassifier):
            scores += [pipe.model.ops.to_numpy(rows) for rows in pipe.logits(docs)]
        docs = list(pipe.pipe(docs)) if hasattr(pipe, "pipe") else [pipe(doc) for doc in docs]
        if isinstance(pipe, TransformerEncoder):
            vectors += [pipe.model.ops.to_numpy(doc.tensor) for doc in docs]
    return docs, scores or vectors


def _tag(token: Any) -> tuple[str, str]:
    return token.ent_iob_, token.ent_type_


def _f1(examples: list[Example], data: str | Path) -> float:
    examples = annotated(examples)
    if not examples:
        raise ValueError(Errors.TC314.format(data=data))
    counts = count(compare_examples(examples))
    return 2 * float(counts.tp.sum()) / max(int(counts.gold.sum() + counts.pred.sum()), 1)

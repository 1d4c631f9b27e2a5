"""Surface F1 of the WNUT-17 shared task: precision, recall and F1 over unique surface forms."""

from collections.abc import Sequence
from itertools import chain

from .seqeval.chunks import Chunks
from .seqeval.compare import Comparison
from .seqeval.prf import simple_prf

Surface = tuple[str, str]


def surfaces(
    chunks: Chunks, comparison: Comparison, tokens: Sequence[Sequence[str]], *, joiner: str = " "
) -> list[Surface]:
    """Give the surface form of each entity: its text, case-sensitive, and its type.

    chunks (Chunks): Entities of the comparison.
    comparison (Comparison): Gold beside prediction.
    tokens (Sequence[Sequence[str]]): Gold tokens of each sentence; characters for a comparison of characters.
    joiner (str): What to put between tokens.
    RETURNS (list[tuple[str, str]]): Text and type of each. Length: n.
    """
    flat = list(chain.from_iterable(tokens))
    # The axis has one position more after each sentence than there are tokens.
    starts = (chunks.start - comparison.sentences.find(chunks.start)).tolist()
    ends = (chunks.end - comparison.sentences.find(chunks.end)).tolist()
    kinds = [comparison.names[kind] for kind in chunks.type.tolist()]
    texts = [joiner.join(flat[start : end + 1]) for start, end in zip(starts, ends, strict=True)]
    return list(zip(texts, kinds, strict=True))


def surface_scores(comparison: Comparison, tokens: Sequence[Sequence[str]], *, joiner: str = " ") -> dict[str, float]:
    """Compute the surface scores as the shared task published them.

    The true positives are the unique surfaces of mentions that are true positives at their place: a name predicted in
    the wrong sentence earns nothing. Comparing the two sets of surfaces instead gives more, and is wrong.
    Source: L. Derczynski et al. 2017, "Results of the WNUT2017 Shared Task on Novel and Emerging Entity Recognition".

    comparison (Comparison): Gold beside prediction, in default mode for the figures of the task.
    tokens (Sequence[Sequence[str]]): Gold tokens of each sentence.
    joiner (str): What to put between tokens.
    RETURNS (dict[str, float]): surface_precision, surface_recall, surface_f1; 0.0 where there is nothing.
    """
    gold = set(surfaces(comparison.gold, comparison, tokens, joiner=joiner))
    pred = surfaces(comparison.pred, comparison, tokens, joiner=joiner)
    tp = {surface for surface, hit in zip(pred, comparison.pred_hit.tolist(), strict=True) if hit}
    precision, recall, fscore = simple_prf(len(tp), len(set(pred)), len(gold))
    return {"surface_precision": precision, "surface_recall": recall, "surface_f1": fscore}

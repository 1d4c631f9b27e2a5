"""Scores of groups of entities: by length in tokens, and by novelty (whether the training corpus has the text)."""

from collections import Counter
from collections.abc import Collection, Sequence

from .seqeval.chunks import Chunks
from .seqeval.compare import Comparison
from .seqeval.prf import simple_prf
from .surface import surfaces

GroupScores = dict[str, dict[str, float | int]]
LONGEST = 5


def group_scores(
    comparison: Comparison, gold_groups: Sequence[str], pred_groups: Sequence[str], *, order: Sequence[str]
) -> GroupScores:
    """Score each group by itself: recall over its gold entities, precision over its predictions.

    comparison (Comparison): Gold beside prediction.
    gold_groups (Sequence[str]): Group of each gold entity. Length: n_gold.
    pred_groups (Sequence[str]): Group of each prediction; that of a true positive is its gold entity's. Length: n_pred.
    order (Sequence[str]): The groups; all appear in the result.
    RETURNS (dict[str, dict[str, float | int]]): For each group precision, recall, f1, number (the
        support), predicted, correct (true positives).
    """
    tp_groups = [name for name, hit in zip(pred_groups, comparison.pred_hit.tolist(), strict=True) if hit]
    tp_counts, pred_counts, gold_counts = (Counter(names) for names in (tp_groups, pred_groups, gold_groups))
    scores: GroupScores = {}
    for group in order:
        tp, pred, gold = tp_counts[group], pred_counts[group], gold_counts[group]
        precision, recall, fscore = simple_prf(tp, pred, gold)
        scores[group] = {
            "precision": precision,
            "recall": recall,
            "f1": fscore,
            "number": gold,
            "predicted": pred,
            "correct": tp,
        }
    return scores


def scores_by_length(comparison: Comparison) -> GroupScores:
    """Score entities by their length in tokens: "1" to "4", and "5+".

    comparison (Comparison): Gold beside prediction, on tokens.
    RETURNS (dict[str, dict[str, float | int]]): As group_scores.
    """
    order = [*map(str, range(1, LONGEST)), f"{LONGEST}+"]

    def groups(chunks: Chunks) -> list[str]:
        lengths = (chunks.end - chunks.start + 1).clip(max=LONGEST)
        return [order[length - 1] for length in lengths.tolist()]

    return group_scores(comparison, groups(comparison.gold), groups(comparison.pred), order=order)


def scores_by_novelty(
    comparison: Comparison,
    tokens: Sequence[Sequence[str]],
    train_texts: Collection[str],
    *,
    joiner: str = " ",
) -> GroupScores:
    """Score the entities whose text is an entity in the training corpus ("seen") apart from the others ("unseen").

    The text counts, case-sensitive, whatever its type is there.

    comparison (Comparison): Gold beside prediction.
    tokens (Sequence[Sequence[str]]): Gold tokens of each sentence.
    train_texts (Collection[str]): Texts of the entities of the training corpus.
    joiner (str): What to put between tokens.
    RETURNS (dict[str, dict[str, float | int]]): As group_scores, for "seen" and "unseen".
    """
    known = set(train_texts)

    def groups(chunks: Chunks) -> list[str]:
        texts = (text for text, _ in surfaces(chunks, comparison, tokens, joiner=joiner))
        return ["seen" if text in known else "unseen" for text in texts]

    gold, pred = groups(comparison.gold), groups(comparison.pred)
    return group_scores(comparison, gold, pred, order=("seen", "unseen"))

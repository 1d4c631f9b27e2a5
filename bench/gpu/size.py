"""How much of everything `python -m bench gpu` measures."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Size:
    """The sizes of the parts.

    rounds (int): Rounds of training and of annotation, in turns.
    posts (int): Posts of an epoch, at most.
    texts (int): Texts that are annotated, at most; 0 for the whole test set.
    times (int): How often ours and the bare module go through them in a round.
    batches (tuple[int, ...]): Posts of a batch in training.
    pipe_batches (tuple[int, ...]): Texts of a batch in `nlp.pipe`.
    steps (int): Training steps of the pipeline that annotates.
    profiled (int): Training steps that are taken apart.
    seeds (tuple[int, ...]): Seeds of the recipe.
    recipe (dict[str, Any]): What differs in the recipe's config.
    encoder (dict[str, Any]): What differs from distilbert-base in the encoder that speed is measured with.
    """

    rounds: int = 3
    posts: int = 1_000_000
    texts: int = 0
    times: int = 4
    batches: tuple[int, ...] = (16, 64)
    pipe_batches: tuple[int, ...] = (256, 2048)
    steps: int = 100
    profiled: int = 50
    seeds: tuple[int, ...] = (0, 1, 2)
    recipe: dict[str, Any] = field(default_factory=dict)
    encoder: dict[str, Any] = field(default_factory=dict)


FULL = Size()
#: All of it in about a minute, on any machine, with an encoder that learns nothing.
TINY = Size(
    rounds=1,
    posts=60,
    texts=40,
    times=1,
    steps=4,
    profiled=2,
    seeds=(0,),
    recipe={"training.max_steps": 4, "training.eval_frequency": 2, "training.optimizer.learn_rate.warmup_steps": 1},
    encoder={"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2},
)

"""`train`: posts a second of fine-tuning, ours beside the Trainer, spacy-transformers and the bare loop."""

from typing import Any

from ..data import write_sample
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows
from ..system import OURS, ROOT, Setting, System

TRAINER = "bench.peers.hf_trainer:measured"
OUR_TRAIN = "bench.system_ours:train"
#: The Trainer sorts this many batches at a time when it has the whole training set.
GROUPED = {"group_by_length": True, "mega_batch": 50}


def systems(setting: Setting, files: dict[str, str]) -> list[System]:
    """List the systems.

    setting (Setting): The setting.
    files (dict[str, str]): What `write_sample` gave.
    RETURNS (list[System]): The systems.
    """
    trainer = {"encoder": str(setting.encoder), "posts": files["posts"]}
    bare = {"encoder": str(setting.encoder), "posts": files["posts"]}
    found = [
        System("Trainer, tutorial recipe", TRAINER, trainer, needs=("accelerate",), reference=True),
        System("Trainer, group_by_length", TRAINER, {**trainer, "recipe": GROUPED}, needs=("accelerate",)),
        System(
            "Trainer, group_by_length",
            TRAINER,
            {**trainer, "recipe": {**GROUPED, "bf16": True}},
            precision="bf16",
            needs=("accelerate",),
        ),
        System(
            "spacy-transformers + transition NER",
            "bench.peers.transition_ner:train",
            {"encoder": str(setting.encoder), **files},
            environment="older",
            needs=("spacy-transformers",),
        ),
    ]
    for precision in ("fp32", "bf16"):
        for name, module in (("bare torch loop", "loop"), ("bare torch loop, packed", "packed")):
            options = {**bare, "precision": precision}
            found.append(System(name, f"bench.bare.{module}:train", options, precision))
    for environment, name in (("newest", f"{OURS} spacy train"), ("older", f"{OURS} spacy train, older transformers")):
        for precision in ("fp32", "bf16"):
            options = our_options(setting, files, precision)
            found.append(System(name, OUR_TRAIN, options, precision, environment=environment))
    options = our_options(setting, files, "bf16", freeze_embeddings=True)
    found.append(System(f"{OURS} spacy train, frozen embeddings", OUR_TRAIN, options, "bf16"))
    options = our_options(setting, files, "bf16", freeze_embeddings=True, normalize=True)
    found.append(System(f"{OURS} spacy train, frozen embeddings, normalized", OUR_TRAIN, options, "bf16"))
    return found


def our_options(setting: Setting, files: dict[str, str], precision: str, **encoder: bool) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The options of our training: the same recipe as the Trainer's, but for settings of the
    encoder that are given."""
    overrides = {
        **{f"components.ner.model.tok2vec.{name}": value for name, value in encoder.items()},
        "paths.train": files["train"],
        "paths.dev": files["dev"],
        "paths.encoder": str(setting.encoder),
        "components.ner.model.tok2vec.precision": precision,
    }
    return {"config": str(ROOT / "bench" / "accuracy" / "plain.cfg"), "overrides": overrides}


def measure(setting: Setting) -> list[Row]:
    """Measure training.

    setting (Setting): The setting.
    RETURNS (list[Row]): The rows.
    """
    found = wanted(systems(setting, write_sample(setting)), setting)
    answers = run_rounds(found, setting, note=lambda result: f"{result['value']:.1f} posts/s")
    return make_rows("train", "posts/s", found, answers, data=setting.source, posts=setting.posts)

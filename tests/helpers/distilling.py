"""Teachers, and the config of a student, for tests of `distill`."""

from pathlib import Path
from typing import Any

import spacy
from pipeline_posts import add_ner, overfit, read_posts
from spacy.tokens import DocBin

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "wnut17.cfg"
#: The texts of the posts.
POSTS = [eg.text.strip() for eg in read_posts(spacy.blank("xx"))]


def save_teacher(
    folder: Path,
    encoder: Path,
    *,
    seed: int = 0,
    steps: int = 0,
    crf: bool = False,
    fold: tuple[int, int] | None = None,
    labels: list[str] | None = None,
) -> str:
    """Save a pipeline that knows the posts after some steps.

    folder (Path): Where to.
    encoder (Path): The folder of its encoder.
    seed (int): Its seed.
    steps (int): The steps of its training.
    crf (bool): Whether it has a conditional random field.
    fold (tuple[int, int] | None): The fold that its config says that it was trained without, and how many there were.
    labels (list[str] | None): Its labels; those of the posts if there are none.
    RETURNS (str): The folder.
    """
    nlp = spacy.blank("xx")
    add_ner(nlp, crf=crf)
    spacy.util.fix_random_seed(seed)
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder)}
    nlp.config["initialize"]["components"] = {"ner": {"encoder": loader, "labels": labels}}
    nlp.initialize(lambda: read_posts(nlp))
    if steps:
        overfit(nlp, steps=steps)
    if fold:
        block: Any = {"@readers": "spacy-tokclf.AllButFold.v1", "corpus": dict(nlp.config["corpora"]["train"])}
        nlp.config["corpora"]["train"] = {**block, "fold": fold[0], "folds": fold[1], "augmenter": None}
    nlp.to_disk(folder)
    return str(folder)


def write_gold(folder: Path) -> Path:
    """Write the posts as training data, and others as development data.

    folder (Path): Where to.
    RETURNS (Path): The folder.
    """
    docs = [eg.reference for eg in read_posts(spacy.blank("xx"))]
    DocBin(docs=docs).to_disk(folder / "train.spacy")
    dev = [spacy.blank("xx")(f"so {text}") for text in POSTS[:4]]
    for doc, like in zip(dev, docs, strict=False):
        ents = [spacy.tokens.Span(doc, ent.start + 1, ent.end + 1, label=ent.label_) for ent in like.ents]
        doc.set_ents(ents)
    DocBin(docs=dev).to_disk(folder / "dev.spacy")
    return folder


def student_settings(data: Path, encoder: Path, *, steps: int = 6, every: int = 3) -> dict[str, Any]:
    """Give overrides of CONFIG.

    data (Path): The folder of train.spacy and dev.spacy.
    encoder (Path): The folder of the student's encoder.
    steps, every (int): The steps of its training, and those from one evaluation to the next.
    RETURNS (dict[str, Any]): The overrides.
    """
    return {
        "nlp.lang": "xx",  # loads faster than English
        "paths.train": str(data / "train.spacy"),
        "paths.dev": str(data / "dev.spacy"),
        "paths.encoder": str(encoder),
        "training.max_steps": steps,
        "training.eval_frequency": every,
        "training.dropout": 0.0,
        "training.batcher.size": 8,
        "training.optimizer.learn_rate.initial_rate": 0.003,
        "training.optimizer.learn_rate.warmup_steps": 1,
    }

"""The data of the measurements: the posts of a split, samples of them, texts and their gold entities."""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wasabi import msg

from spacy_tokclf.corpus import Record, read_conll
from spacy_tokclf.corpus.forms.docbin import write_docbin

from .system import ROOT, Setting

#: An entity in a text: first character, one past the last, label.
EntityT = tuple[int, int, str]


class Texts(NamedTuple):
    """Texts with what is known about them.

    texts (list[str]): The tokens of each post, one space between them.
    gold (list[list[EntityT]]): The entities of each text.
    words (int): Gold tokens in all.
    """

    texts: list[str]
    gold: list[list[EntityT]]
    words: int


def find_data(assets: Path) -> tuple[Path, str]:
    """Find the data as the project does: WNUT-17 if it can be had, else the sample corpus, said in the output.

    assets (Path): The folder for it.
    RETURNS (tuple[Path, str]): The folder with SPLIT.conll, and "wnut17" or "sample".
    """
    import os

    stamp = assets / "data.json"
    if not stamp.is_file() or json.loads(stamp.read_text(encoding="utf8"))["source"] == "sample":
        command = [sys.executable, str(ROOT / "scripts" / "get_data.py"), "--assets", str(assets)]
        command += ["--folder", os.environ.get("WNUT17_DIR", ""), "--sample", str(ROOT / "sample")]
        subprocess.run(command, check=True)
    source = json.loads(stamp.read_text(encoding="utf8"))["source"]
    msg.info(
        "The data is WNUT-17" if source == "wnut17" else "The data is the project's own SAMPLE corpus, not WNUT-17"
    )
    return assets / "data", source


def sample_posts(setting: Setting) -> list[Record]:
    """Draw the posts of a round of training; the same ones every time.

    setting (Setting): The setting.
    RETURNS (list[Record]): The posts.
    """
    posts = list(read_conll(setting.data / "train.conll"))
    return random.Random(0).sample(posts, min(setting.posts, len(posts)))


def write_sample(setting: Setting) -> dict[str, str]:
    """Write the posts of a round of training for every system.

    setting (Setting): The setting.
    RETURNS (dict[str, str]): "train", a DocBin; "dev", a DocBin of a few posts, since `spacy train` evaluates at its
        first step; "posts", the same as "train" in JSON.
    """
    folder = setting.work / "data"
    folder.mkdir(parents=True, exist_ok=True)
    posts = sample_posts(setting)
    dev = [post for post in read_conll(setting.data / "dev.conll") if post.spans][:16]
    write_docbin(posts, folder / "train.spacy")
    write_docbin(dev, folder / "dev.spacy")
    rows = [{"words": post.words, "tags": post.tags} for post in posts]
    (folder / "posts.json").write_text(json.dumps(rows), encoding="utf8")
    return {name: str(folder / file) for name, file in FILES.items()}


FILES = {"train": "train.spacy", "dev": "dev.spacy", "posts": "posts.json"}


def read_texts(setting: Setting, *, split: str = "test") -> Texts:
    """Read the texts of a split.

    setting (Setting): The setting; it says how many.
    split (str): "train", "dev" or "test".
    RETURNS (Texts): The texts.
    """
    posts = list(read_conll(setting.data / f"{split}.conll"))
    if setting.texts:
        posts = random.Random(0).sample(posts, min(setting.texts, len(posts)))
    return texts_of(posts)


def texts_of(posts: Sequence[Record]) -> Texts:
    """RETURNS (Texts): The texts of some posts."""
    texts, gold = [], []
    for post in posts:
        starts, end = [], 0
        for word in post.words:
            starts.append(end)
            end += len(word) + 1
        texts.append(" ".join(post.words))
        gold.append([(starts[s], starts[e - 1] + len(post.words[e - 1]), label) for s, e, label in post.spans])
    return Texts(texts, gold, sum(len(post.words) for post in posts))


def write_texts(path: Path, texts: Sequence[str]) -> str:
    """Write texts as JSON for the systems.

    path (Path): Where to.
    texts (Sequence[str]): The texts.
    RETURNS (str): The path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(texts)), encoding="utf8")
    return str(path)


def entity_f1(gold: Sequence[Sequence[Any]], pred: Sequence[Sequence[Any]]) -> float:
    """Score entities in characters: a true positive has the same start, end and label.

    gold, pred (Sequence[Sequence[Any]]): The entities of each text: start, end, label.
    RETURNS (float): F1 over all texts.
    """
    theirs = [{(int(s), int(e), str(label)) for s, e, label in ents} for ents in pred]
    ours = [{(int(s), int(e), str(label)) for s, e, label in ents} for ents in gold]
    true_positives = sum(len(a & b) for a, b in zip(ours, theirs, strict=True))
    total = sum(map(len, ours)) + sum(map(len, theirs))
    return round(2 * true_positives / total, 4) if total else 0.0

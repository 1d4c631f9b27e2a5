"""Fine-tune with Hugging Face's Trainer, with what our recipes have, too: the best epoch is chosen on dev.

Usage: python -m bench.accuracy.hf_train SETTINGS.json   (`systems.py` writes the file)
"""

import json
import sys
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, TrainerCallback

from spacy_tokclf.corpus import Record, write_conll

from ..peers.hf_data import PostT, tags_of, tokenize_and_align
from ..peers.hf_trainer import Recipe, conll_posts, make_trainer, predict, scores


class BestEpoch(TrainerCallback):
    """Tags dev after each epoch, and test as well if dev was never better; test is tagged without its gold."""

    def __init__(self, tokenizer: Any, posts: dict[str, list[PostT]], *, choose: bool, epochs: float) -> None:
        """Prepare.

        tokenizer (Any): The tokenizer.
        posts (dict[str, list[PostT]]): Those of "dev" and "test".
        choose (bool): Whether to choose on dev; else the last epoch counts.
        epochs (float): The number of epochs.
        """
        self.tokenizer = tokenizer
        self.posts = posts
        self.choose = choose
        self.epochs = epochs
        self.history: list[float] = []
        self.best_epoch = 0
        self.tagged: dict[str, list[list[str]]] = {}

    def on_epoch_end(self, args: Any, state: Any, control: Any, *, model: Any, **kwargs: Any) -> None:
        """Look whether this epoch is the best one. As in spaCy, of equal ones the later one is."""
        epoch = len(self.history) + 1
        if not self.choose and epoch < self.epochs:
            self.history.append(0.0)
            return
        dev = predict(model, self.tokenizer, self.posts["dev"])
        f1 = scores([post["tags"] for post in self.posts["dev"]], dev)["f1"] if self.choose else 0.0
        if f1 >= max(self.history, default=0.0):
            self.best_epoch = epoch
            self.tagged = {"dev": dev, "test": predict(model, self.tokenizer, self.posts["test"])}
        self.history.append(f1)
        model.train()


def fine_tune(settings: dict[str, Any]) -> None:
    """Train, and write dev.conll, test.conll and result.json.

    settings (dict[str, Any]): "recipe", "encoder", "train", "dev" and "test" (files), "choose", and "out" (a folder).
    """
    recipe = Recipe(**settings["recipe"])
    posts = {split: conll_posts(Path(settings[split])) for split in ("train", "dev", "test")}
    tags = tags_of(posts["train"])
    tokenizer = AutoTokenizer.from_pretrained(settings["encoder"])
    dataset = tokenize_and_align(posts["train"], tokenizer, tags)
    best = BestEpoch(tokenizer, posts, choose=settings["choose"], epochs=recipe.epochs)
    make_trainer(settings["encoder"], tokenizer, dataset, tags, recipe, callbacks=[best]).train()
    out = Path(settings["out"])
    for split, tagged in best.tagged.items():
        pairs = zip(posts[split], tagged, strict=True)
        write_conll([Record(post["words"], row) for post, row in pairs], out / f"{split}.conll")
    result = {"best_epoch": best.best_epoch if settings["choose"] else None, "history": best.history}
    (out / "result.json").write_text(json.dumps(result), encoding="utf8")


if __name__ == "__main__":
    fine_tune(json.loads(Path(sys.argv[1]).read_text(encoding="utf8")))

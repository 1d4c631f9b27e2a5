"""Fine-tuning with Hugging Face's Trainer as its guide to token classification does it, with chosen hyperparameters.

As a module it is imported by the measurements; as a program it trains once and scores:

    python -m bench.peers.hf_trainer --train train.conll --dev dev.conll --encoder assets/encoder --json out.json
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from .hf_data import PostT, read_posts, tags_of, tokenize_and_align

MEGA_BATCH = 50  # batches that the Trainer's sampler sorts together, if there are posts for four times as many


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters. The defaults are those of the guide.

    learning_rate (float): Highest rate of the encoder; it falls linearly to 0.
    head_multiplier (float): The classifier learns this many times faster.
    epochs (float): Passes over the posts.
    batch_size (int): Posts a batch.
    weight_decay (float): Of all parameters but biases and layer norms.
    warmup (float): Part of the steps in which the rate rises.
    seed (int): Of everything random.
    bf16 (bool): Whether to run under autocast in bfloat16.
    group_by_length (bool): Whether to put posts of like length together.
    mega_batch (int): Batches that are sorted together with `group_by_length`; 0 for what the Trainer makes of the
        number of posts.
    """

    learning_rate: float = 2e-5
    head_multiplier: float = 1.0
    epochs: float = 2
    batch_size: int = 16
    weight_decay: float = 0.01
    warmup: float = 0.0
    seed: int = 0
    bf16: bool = False
    group_by_length: bool = False
    mega_batch: int = 0


def make_trainer(
    encoder: str, tokenizer: Any, dataset: Any, tags: Sequence[str], recipe: Recipe, *, callbacks: Sequence[Any] = ()
) -> Any:
    """Set a Trainer up with a fresh model.

    encoder (str): A model folder.
    tokenizer (Any): Its tokenizer.
    dataset (Any): What `tokenize_and_align` gave.
    tags (Sequence[str]): The tags.
    recipe (Recipe): The hyperparameters.
    callbacks (Sequence[Any]): Callbacks of the Trainer.
    RETURNS (Trainer): The Trainer.
    """
    from transformers import AutoModelForTokenClassification, DataCollatorForTokenClassification, set_seed

    set_seed(recipe.seed)
    model = AutoModelForTokenClassification.from_pretrained(
        encoder, num_labels=len(tags), id2label=dict(enumerate(tags)), label2id={tag: i for i, tag in enumerate(tags)}
    )
    return trainer_class(recipe)(
        model=model,
        args=arguments(recipe),
        train_dataset=dataset,
        processing_class=tokenizer,
        data_collator=DataCollatorForTokenClassification(tokenizer=tokenizer),
        callbacks=list(callbacks),
    )


def arguments(recipe: Recipe) -> Any:
    """RETURNS (TrainingArguments): The recipe in the Trainer's words. Nothing is saved, logged or evaluated."""
    import torch
    from transformers import TrainingArguments

    gpu = torch.cuda.is_available()
    names = {field.name for field in fields(TrainingArguments)}
    if "train_sampling_strategy" in names:
        grouped = {"train_sampling_strategy": "group_by_length" if recipe.group_by_length else "random"}
    else:
        grouped = {"group_by_length": recipe.group_by_length}
    return TrainingArguments(
        output_dir=tempfile.gettempdir(),
        learning_rate=recipe.learning_rate,
        per_device_train_batch_size=recipe.batch_size,
        num_train_epochs=recipe.epochs,
        weight_decay=recipe.weight_decay,
        warmup_steps=recipe.warmup,
        seed=recipe.seed,
        bf16=recipe.bf16,
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        **grouped,
    )


def trainer_class(recipe: Recipe) -> type:
    """RETURNS (type): The Trainer itself, or one with what its arguments cannot say."""
    from torch.utils.data import Sampler
    from transformers import Trainer
    from transformers.trainer_pt_utils import get_length_grouped_indices

    class Grouped(Sampler):
        def __init__(self, lengths: Sequence[int]) -> None:
            self.lengths = list(lengths)

        def __len__(self) -> int:
            return len(self.lengths)

        def __iter__(self) -> Any:
            return iter(get_length_grouped_indices(self.lengths, recipe.batch_size, recipe.mega_batch))

    class WithHead(Trainer):
        """Groups of parameters as the Trainer makes them, those of the classifier with a rate of their own."""

        def create_optimizer(self, model: Any = None) -> Any:
            optimizer = super().create_optimizer()
            head = {id(param) for name, param in self.model.named_parameters() if name.startswith("classifier")}
            groups = list(optimizer.param_groups)
            optimizer.param_groups.clear()
            for group in groups:
                for own, factor in ((True, recipe.head_multiplier), (False, 1.0)):
                    params = [param for param in group["params"] if (id(param) in head) == own]
                    if params:
                        rate = recipe.learning_rate * factor
                        optimizer.add_param_group({**group, "params": params, "lr": rate})
            return optimizer

    base = WithHead if recipe.head_multiplier != 1.0 else Trainer
    if not (recipe.group_by_length and recipe.mega_batch):
        return base

    class WithMegaBatch(base):  # type: ignore[misc,valid-type]
        """The sampler as it is with the whole training set, on a sample of it."""

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return Grouped(self.train_dataset["length"])

    return WithMegaBatch


def predict(model: Any, tokenizer: Any, posts: Sequence[PostT], *, batch_size: int = 32) -> list[list[str]]:
    """Tag posts: every word has the best tag of its first piece, "O" if it has none within the model's limit.

    model (Any): The model.
    tokenizer (Any): Its tokenizer.
    posts (Sequence[PostT]): The posts.
    batch_size (int): Posts a batch.
    RETURNS (list[list[str]]): A tag a word.
    """
    import torch

    model.eval()
    names = model.config.id2label
    tagged: list[list[str]] = []
    for start in range(0, len(posts), batch_size):
        words = [post["words"] for post in posts[start : start + batch_size]]
        batch = tokenizer(words, truncation=True, is_split_into_words=True, padding=True, return_tensors="pt")
        with torch.inference_mode():
            best = model(**batch.to(model.device)).logits.argmax(-1).tolist()
        for row, post in enumerate(words):
            tags, before = ["O"] * len(post), None
            for column, word in enumerate(batch.word_ids(row)):
                if word is not None and word != before:
                    tags[word] = names[best[row][column]]
                before = word
            tagged.append(tags)
    return tagged


def best_epoch(tokenizer: Any, posts: dict[str, Sequence[PostT]]) -> Any:
    """Make a callback that looks for the best epoch: after each it tags dev, and the rest if dev was never better.

    tokenizer (Any): The tokenizer.
    posts (dict[str, Sequence[PostT]]): Those of "dev", which have gold tags, and of other splits.
    RETURNS (TrainerCallback): "epoch", the best one, of equal ones the last, as in spaCy; and "tagged", its tags by
        split.
    """
    from transformers import TrainerCallback

    class BestEpoch(TrainerCallback):
        def __init__(self) -> None:
            self.seen = self.epoch = 0
            self.f1 = 0.0
            self.tagged: dict[str, list[list[str]]] = {}

        def on_epoch_end(self, args: Any, state: Any, control: Any, *, model: Any, **kwargs: Any) -> None:
            self.seen += 1
            dev = predict(model, tokenizer, posts["dev"])
            f1 = scores([post["tags"] for post in posts["dev"]], dev)["f1"]
            if f1 >= self.f1:
                rest = {split: predict(model, tokenizer, each) for split, each in posts.items() if split != "dev"}
                self.f1, self.epoch, self.tagged = f1, self.seen, {"dev": dev, **rest}
            model.train()

    return BestEpoch()


def fine_tune(
    encoder: str, train: Sequence[PostT], recipe: Recipe, posts: dict[str, Sequence[PostT]], *, select: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Fine-tune once, and tag posts.

    encoder (str): A model folder.
    train (Sequence[PostT]): The posts to learn from.
    recipe (Recipe): The hyperparameters.
    posts (dict[str, Sequence[PostT]]): Posts to tag by split.
    select (bool): Whether they are tagged by the epoch that is best on "dev", instead of the last one.
    RETURNS (tuple[Any, dict[str, Any]]): The Trainer after its last epoch; "seconds" of training, "best_epoch" (None if
        none was selected) and, by split, "tags" and the scores of those whose gold is known.
    """
    from transformers import AutoTokenizer

    tags = tags_of(train)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    dataset = tokenize_and_align(train, tokenizer, tags)
    best = best_epoch(tokenizer, posts) if select else None
    trainer = make_trainer(encoder, tokenizer, dataset, tags, recipe, callbacks=[best] if select else [])
    start = time.perf_counter()
    trainer.train()
    result: dict[str, Any] = {"seconds": round(time.perf_counter() - start, 1), "best_epoch": best and best.epoch}
    for split, each in posts.items():
        tagged = best.tagged[split] if best else predict(trainer.model, tokenizer, each)
        gold = [post["tags"] for post in each]
        known = any(tag != "-" for row in gold for tag in row)
        result[split] = {**(scores(gold, tagged) if known else {}), "tags": tagged}
    return trainer, result


def measured(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure one epoch a round, from the first batch to the end of the last step.

    options (dict[str, Any]): "encoder", "posts" (a file), and "recipe" with what differs from the guide.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import torch
    from transformers import AutoTokenizer, TrainerCallback

    class Clock(TrainerCallback):
        seconds = 0.0

        def on_epoch_begin(self, *_: Any, **__: Any) -> None:
            self.start = time.perf_counter()

        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.seconds = time.perf_counter() - self.start

    posts = read_posts(options["posts"])
    tags = tags_of(posts)
    tokenizer = AutoTokenizer.from_pretrained(options["encoder"])
    dataset = tokenize_and_align(posts, tokenizer, tags)

    def run(number: int) -> dict[str, Any]:
        recipe = Recipe(**{**options.get("recipe", {}), "epochs": 1, "seed": max(number, 0)})
        part = dataset.select(range(3 * recipe.batch_size)) if number < 0 and len(dataset) > 64 else dataset
        clock = Clock()
        make_trainer(options["encoder"], tokenizer, part, tags, recipe, callbacks=[clock]).train()
        return {"value": len(part) / clock.seconds, "seconds": clock.seconds}

    run(-1)
    return run


def main() -> None:
    """Train once and score, as the command line says."""
    parser = argparse.ArgumentParser(description="Fine-tune with Hugging Face's Trainer.")
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="CoNLL files; several are joined")
    parser.add_argument("--dev", type=Path, help="posts to tag and score")
    parser.add_argument(
        "--test", type=Path, help="the test posts, with or without gold; scores only for a recipe that is fixed"
    )
    parser.add_argument("--encoder", required=True, help="a model folder")
    parser.add_argument("--json", type=Path, required=True, help="the file for scores and predicted tags")
    parser.add_argument("--select", action="store_true", help="tag with the epoch that is best on dev, not the last")
    parser.add_argument("--save", type=Path, help="a folder for the fine-tuned model")
    for field in fields(Recipe):
        kind = {"action": "store_true"} if isinstance(field.default, bool) else {"type": type(field.default)}
        if field.name == "epochs":
            kind = {"type": float}
        parser.add_argument(f"--{field.name.replace('_', '-')}", default=field.default, **kind)  # type: ignore[arg-type]
    args = parser.parse_args()
    recipe = Recipe(**{field.name: getattr(args, field.name) for field in fields(Recipe)})
    train = [post for path in args.train for post in conll_posts(path)]
    paths = {split: getattr(args, split) for split in ("dev", "test")}
    posts = {split: conll_posts(path) for split, path in paths.items() if path is not None}
    if args.select and "dev" not in posts:
        parser.error("--select needs --dev")
    trainer, result = fine_tune(args.encoder, train, recipe, posts, select=args.select)
    if args.save:
        trainer.model.save_pretrained(args.save)
        trainer.processing_class.save_pretrained(args.save)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps({"recipe": asdict(recipe), **result}), encoding="utf8")


def conll_posts(path: Path) -> list[PostT]:
    """RETURNS (list[PostT]): The posts of a CoNLL file."""
    from spacy_tokclf.corpus import read_conll

    return [{"words": record.words, "tags": record.tags} for record in read_conll(path)]


def scores(gold: list[list[str]], pred: list[list[str]]) -> dict[str, float]:
    """RETURNS (dict[str, float]): Precision, recall and F1 of entities by our scorer, as `conlleval` counts."""
    from spacy_tokclf.metrics import classification_report

    report = classification_report(gold, pred, output_dict=True)["micro avg"]
    return {"p": report["precision"], "r": report["recall"], "f1": report["f1-score"]}


if __name__ == "__main__":
    main()

"""Posts as the Hugging Face guide to token classification prepares them."""

import json
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: A post: its "words" and their IOB2 "tags".
PostT = dict[str, list[str]]


def read_posts(path: str | Path) -> list[PostT]:
    """RETURNS (list[PostT]): The posts of a JSON file."""
    posts: list[PostT] = json.loads(Path(path).read_text(encoding="utf8"))
    return posts


def tags_of(posts: Sequence[PostT]) -> list[str]:
    """RETURNS (list[str]): The tags of some posts in a fixed order, "O" first."""
    return ["O", *sorted({tag for post in posts for tag in post["tags"]} - {"O"})]


class Rows:
    """Examples in a list, with what the Trainer and we ask of a `datasets.Dataset`: for where that is not installed."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | str) -> Any:
        """RETURNS (Any): An example, or a column."""
        return [row[key] for row in self.rows] if isinstance(key, str) else self.rows[key]

    def select(self, numbers: Iterable[int]) -> "Rows":
        """RETURNS (Rows): Some of the examples."""
        return Rows([self.rows[number] for number in numbers])


def tokenize_and_align(posts: Sequence[PostT], tokenizer: Any, tags: Sequence[str]) -> Any:
    """Split words into pieces; the first piece of a word has its label, all others -100.

    posts (Sequence[PostT]): The posts.
    tokenizer (Any): A fast tokenizer.
    tags (Sequence[str]): The tags; a label is a place among them.
    RETURNS (datasets.Dataset | Rows): "input_ids", "attention_mask", "labels" and "length".
    """
    number = {tag: i for i, tag in enumerate(tags)}

    def align(batch: dict[str, Any]) -> dict[str, Any]:
        encoded = tokenizer(batch["words"], truncation=True, is_split_into_words=True)
        labels = []
        for row, post_tags in enumerate(batch["tags"]):
            before, row_labels = None, []
            for word in encoded.word_ids(row):
                row_labels.append(-100 if word is None or word == before else number.get(post_tags[word], -100))
                before = word
            labels.append(row_labels)
        return {**encoded, "labels": labels, "length": [len(ids) for ids in encoded["input_ids"]]}

    if find_spec("datasets") is None:
        columns = align({name: [post[name] for post in posts] for name in ("words", "tags")})
        return Rows([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
    from datasets import Dataset

    dataset = Dataset.from_list([{"words": post["words"], "tags": post["tags"]} for post in posts])
    return dataset.map(align, batched=True, remove_columns=["words", "tags"])

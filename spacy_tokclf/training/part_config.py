"""The config of a training on a part of the data: what it says, with less data and fewer steps."""

from typing import Any

from spacy.language import DEFAULT_CONFIG
from spacy.util import dot_to_object, walk_dict
from thinc.api import Config

from ..errors import Errors
from .config import EPOCHS
from .epochs import plan_steps

PART = "spacy-tokclf.PartOfCorpus.v1"


def has_epochs(config: Config) -> bool:
    """Tell whether a config says by our callback how many epochs there are.

    config (Config): The config.
    RETURNS (bool): Whether it does.
    """
    after = config.get("initialize", {}).get("after_init")
    return isinstance(after, dict) and any(value == EPOCHS for _, value in walk_dict(after))


def part_config(config: Config, *, share: float, seed: int) -> Config:
    """Make the config of a training on a part of the data. Fixed numbers of steps are scaled by the share, so that each
    text is seen as often as with all data; where epochs are given, they say so already.

    config (Config): The config of the training on all data, its variables not yet filled in.
    share (float): The share of the texts, up to 1.
    seed (int): The seed of the training, and of the choice of texts.
    RETURNS (Config): Another config.
    RAISES (ValueError): TC385, if the training data are streamed; TC394, if they have no reader of their own.
    """
    made = with_data(config)
    training = training_of(made)
    if training["max_epochs"] < 0:
        raise ValueError(Errors.TC385)
    above, _, name = training["train_corpus"].rpartition(".")
    reader = reader_of(made, training["train_corpus"])
    dot_to_object(made, above)[name] = _part_of(reader, share, seed)
    made.setdefault("system", {})["seed"] = seed
    made.setdefault("training", {})["seed"] = seed
    if not has_epochs(made):
        _scale(made["training"], training, share)
    return made


def without_augmenter(config: Config) -> Config:
    """Make a config whose training data are read as they are.

    config (Config): The config.
    RETURNS (Config): Another config.
    RAISES (ValueError): TC394, if they have no reader of their own.
    """
    made = with_data(config)
    reader_of(made, training_of(made)["train_corpus"]).pop("augmenter", None)
    return made


def with_data(config: Config) -> Config:
    """Give a config the sections on data that it leaves to spaCy.

    config (Config): The config.
    RETURNS (Config): Another config.
    """
    return Config({name: DEFAULT_CONFIG[name] for name in ("paths", "system", "corpora")}).merge(config)


def reader_of(config: Config, name: str) -> dict[str, Any]:
    """Find the reader of the training data; one function may give several.

    config (Config): The config.
    name (str): What training.train_corpus says.
    RETURNS (dict[str, Any]): Its section, which may be changed.
    RAISES (ValueError): TC394, if they have no reader of their own.
    """
    block: Any = config
    for key in name.split("."):
        block = block.get(key) if isinstance(block, dict) else None
    if not isinstance(block, dict) or "@readers" not in block:
        raise ValueError(Errors.TC394.format(name=name))
    return block


def training_of(config: Config) -> Any:
    """Give the settings of a training.

    config (Config): The config.
    RETURNS (Any): The settings, with those that the config leaves to spaCy.
    """
    return {**DEFAULT_CONFIG["training"], **config.interpolate().get("training", {})}


def _part_of(block: dict[str, Any], share: float, seed: int) -> dict[str, Any]:
    """Put a reader into ours, which augments what it chose."""
    reader = {key: value for key, value in block.items() if key != "augmenter"}
    return {"@readers": PART, "corpus": reader, "share": share, "seed": seed, "augmenter": block.get("augmenter")}


def _scale(made: dict[str, Any], given: dict[str, Any], share: float) -> None:
    """Scale what is counted in steps."""
    steps, frequency = given["max_steps"], given["eval_frequency"]
    if steps:
        planned = plan_steps(max(1, round(share * steps)), max(1, round(steps / frequency)))
        made["max_steps"], made["eval_frequency"] = planned
    else:
        made["eval_frequency"] = max(1, round(share * frequency))
    if given["patience"]:
        made["patience"] = max(made["eval_frequency"], round(share * given["patience"]))
    rate = given["optimizer"].get("learn_rate")
    for name in ("warmup_steps", "total_steps") if isinstance(rate, dict) else ():
        if isinstance(rate.get(name), int):
            made["optimizer"]["learn_rate"][name] = max(1, round(share * rate[name]))

"""Tiny random token classifiers of every family, each with a tokenizer of the family's kind, as folders."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tiny_encoders import (
    BERT_SPECIAL,
    MPNET_IDS,
    MPNET_SPECIAL,
    POSITIONS,
    ROBERTA_SPECIAL,
    WIDTH,
    byte_bpe_tokenizer,
    mpnet_tokenizer,
    unigram_tokenizer,
    wordpiece_tokenizer,
)
from tokenizers import Tokenizer, normalizers

TAGS = ["O", "B-person", "I-person", "B-location", "I-location"]
TO_BERT = {"<s>": "[CLS]", "</s>": "[SEP]", "<pad>": "[PAD]", "<unk>": "[UNK]", "<mask>": "[MASK]"}


def renamed(tokenizer: Tokenizer, names: dict[str, str]) -> Tokenizer:
    """RETURNS (Tokenizer): The tokenizer with other names of its special pieces."""
    text = tokenizer.to_str()
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return Tokenizer.from_str(text)


def albert_tokenizer() -> Tokenizer:
    """Give a lower-casing Unigram tokenizer, as of ALBERT."""
    tokenizer = renamed(unigram_tokenizer(), {"<s>": "[CLS]", "</s>": "[SEP]", "<mask>": "[MASK]"})
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    return tokenizer


class Family(NamedTuple):
    """A family: its tokenizer, and what its config has beside the usual sizes."""

    make_tokenizer: Callable[[], Tokenizer]
    special: dict[str, str]
    settings: dict[str, Any]


IDS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
ALBERT_SPECIAL = {**BERT_SPECIAL, "unk_token": "<unk>", "pad_token": "<pad>"}
DEBERTA = {
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": ["p2c", "c2p"],
    "max_relative_positions": 20,
}
MODERNBERT = {
    "pad_token_id": 1,
    "bos_token_id": 0,
    "cls_token_id": 0,
    "eos_token_id": 2,
    "sep_token_id": 2,
    "local_attention": 8,
    "global_attn_every_n_layers": 2,
    "classifier_activation": "gelu",
    "classifier_bias": True,
    "norm_bias": True,
}

FAMILIES = {
    "distilbert": Family(wordpiece_tokenizer, BERT_SPECIAL, {}),
    "bert": Family(wordpiece_tokenizer, BERT_SPECIAL, {}),
    "electra": Family(wordpiece_tokenizer, BERT_SPECIAL, {"embedding_size": 16}),
    "mpnet": Family(mpnet_tokenizer, MPNET_SPECIAL, MPNET_IDS),
    "roberta": Family(byte_bpe_tokenizer, ROBERTA_SPECIAL, IDS),
    "xlm-roberta": Family(unigram_tokenizer, ROBERTA_SPECIAL, IDS),
    "camembert": Family(unigram_tokenizer, ROBERTA_SPECIAL, IDS),
    "albert": Family(albert_tokenizer, ALBERT_SPECIAL, {"embedding_size": 16, "pad_token_id": 1}),
    "deberta-v2": Family(lambda: renamed(unigram_tokenizer(), TO_BERT), BERT_SPECIAL, {"pad_token_id": 1, **DEBERTA}),
    "modernbert": Family(lambda: renamed(byte_bpe_tokenizer(), TO_BERT), BERT_SPECIAL, MODERNBERT),
}


def has_family(model_type: str) -> bool:
    """RETURNS (bool): Whether the installed transformers knows a family."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return model_type in CONFIG_MAPPING_NAMES


def write_checkpoint(
    folder: Path,
    model_type: str = "bert",
    *,
    tags: Sequence[str] = TAGS,
    dropout: float = 0.0,
    seed: int = 0,
    half: bool = False,
    limit: int | None = POSITIONS,
    settings: dict[str, Any] | None = None,
) -> Path:
    """Write a tiny random token classifier of 2 layers with its tokenizer.

    folder (Path): Where to.
    model_type (str): A key of FAMILIES.
    tags (Sequence[str]): Its labels.
    dropout (float): Every dropout rate in the config.
    seed (int): Of the weights.
    half (bool): Whether to save half-precision weights.
    limit (int | None): The tokenizer's model_max_length; None for the huge number of checkpoints that have none.
    settings (dict[str, Any] | None): More of the config.
    RETURNS (Path): The folder.
    """
    from transformers import AutoConfig, AutoModelForTokenClassification

    family = FAMILIES[model_type]
    tokenizer = family.make_tokenizer()
    offset = 1 + family.settings.get("pad_token_id", -1) if "bos_token_id" in family.settings else 2
    sizes = {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": POSITIONS + offset}
    if model_type == "distilbert":
        sizes |= {"dim": WIDTH, "hidden_dim": 2 * WIDTH, "n_layers": 2, "n_heads": 4}
        sizes |= {"dropout": dropout, "attention_dropout": dropout, "seq_classif_dropout": dropout}
    else:
        sizes |= {
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
        }
        names = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "classifier_dropout_prob")
        sizes |= dict.fromkeys(names, dropout)
    labels = {"id2label": dict(enumerate(tags)), "label2id": {tag: i for i, tag in enumerate(tags)}}
    values = {**family.settings, **sizes, **labels, "initializer_range": 0.2, **(settings or {})}
    config = AutoConfig.for_model(model_type, **values)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = AutoModelForTokenClassification.from_config(config)
        for name, parameter in module.named_parameters():
            if parameter.ndim == 1:  # biases and layer norms that tell whether they were read
                torch.nn.init.normal_(parameter, mean=float("norm" in name.lower() and "weight" in name), std=0.2)
    (module.half() if half else module).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = ["input_ids", "attention_mask"]
    saved: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": names, **family.special}
    if limit is not None:
        saved["model_max_length"] = limit
    (folder / "tokenizer_config.json").write_text(json.dumps(saved, indent=2), encoding="utf-8")
    return folder

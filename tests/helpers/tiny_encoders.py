"""Tiny random encoders with tokenizers of their own, written as folders that transformers opens."""

import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

WIDTH = 32
POSITIONS = 64
SYLLABLES = """
an ar at be ca co de di do el en er es et for go ham he hi in ing is it ka la le lo ma me mi mo na ne ni no nt on or
ou per pho pra ra re ri ro sa schi se sh si so st ta te th the ti to tr ul un ur us ver wa we wo yo you
"""
WORDS = "a the and in of to is on at for London Paris tweet new york praat over green links don t"


def wordpiece_tokenizer() -> Tokenizer:
    """Give a lower-casing WordPiece tokenizer of about 300 pieces, as of BERT and DistilBERT."""
    letters = [c for c in string.printable if not c.isspace() and not c.isupper()]
    inside = [c for c in letters if c.isalnum()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, "é", "中", *(f"##{c}" for c in inside)]
    pieces += [*SYLLABLES.split(), *(f"##{s}" for s in SYLLABLES.split()), *WORDS.lower().split()]
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
    )
    return tokenizer


def mpnet_tokenizer() -> Tokenizer:
    """Give the same pieces with the special ones of MPNet, whose padding is not the first."""
    described = json.loads(wordpiece_tokenizer().to_str())
    names = {"[CLS]": "<s>", "[PAD]": "<pad>", "[SEP]": "</s>", "[UNK]": "[UNK]", "[MASK]": "<mask>"}
    pieces = [*names.values(), *list(described["model"]["vocab"])[len(names) :]]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.add_special_tokens(list(names.values()))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def byte_bpe_tokenizer() -> Tokenizer:
    """Give a byte-level BPE tokenizer, as of RoBERTa: `add_prefix_space` is off, so words alone lack their space."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("Ġ", "t"), ("i", "n"), ("Ġ", "in"), ("o", "n"), ("e", "r")]
    vocab = {piece: i for i, piece in enumerate([*special, *alphabet, *("".join(pair) for pair in merges)])}
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.add_special_tokens([*special[:4], AddedToken("<mask>", lstrip=True)])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", vocab["</s>"]), ("<s>", vocab["<s>"]), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer


def unigram_tokenizer() -> Tokenizer:
    """Give a Unigram tokenizer with Metaspace, as SentencePiece makes it for XLM-RoBERTa."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [
        "▁",
        *(c for c in string.printable if not c.isspace()),
        *SYLLABLES.split(),
        *(f"▁{word}" for word in WORDS.split()),
    ]
    pieces += ["é", "中"]
    scored = [(piece, 0.0) for piece in special]
    scored += [(piece, -2.0 - len(pieces) / 100 + len(piece)) for piece in dict.fromkeys(pieces)]
    scored.append(("<mask>", 0.0))
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3, byte_fallback=False))
    tokenizer.add_special_tokens([*special, AddedToken("<mask>", lstrip=True)])
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


BERT_SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
ROBERTA_SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "cls_token": "<s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
MPNET_SPECIAL = {**ROBERTA_SPECIAL, "unk_token": "[UNK]"}
MPNET_IDS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
ROBERTA_IDS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}


class Kind(NamedTuple):
    """What sets one model type apart from the others."""

    make_tokenizer: Callable[[], Tokenizer]
    tokenizer_class: str
    special: dict[str, str]
    settings: dict[str, Any]


KINDS = {
    "distilbert": Kind(wordpiece_tokenizer, "DistilBertTokenizerFast", BERT_SPECIAL, {}),
    "bert": Kind(wordpiece_tokenizer, "BertTokenizerFast", BERT_SPECIAL, {}),
    "roberta": Kind(byte_bpe_tokenizer, "RobertaTokenizerFast", ROBERTA_SPECIAL, ROBERTA_IDS),
    "mpnet": Kind(mpnet_tokenizer, "MPNetTokenizerFast", MPNET_SPECIAL, MPNET_IDS),
    "xlm-roberta": Kind(unigram_tokenizer, "XLMRobertaTokenizerFast", ROBERTA_SPECIAL, ROBERTA_IDS),
}


def write_encoder(
    folder: Path,
    model_type: str = "distilbert",
    *,
    dropout: float = 0.0,
    seed: int = 0,
    width: int = WIDTH,
    positions: int = POSITIONS,
    limit: int | None = POSITIONS,
) -> Path:
    """Write a tiny random encoder of 2 layers with its tokenizer.

    folder (Path): Where to.
    model_type (str): A key of KINDS.
    dropout (float): Every dropout rate in the config.
    seed (int): Of the weights.
    width (int): Of the vectors; a multiple of 4.
    positions (int): Word pieces that the encoder can see at once, special pieces included.
    limit (int | None): The tokenizer's model_max_length; None for the huge number of checkpoints that have none.
    RETURNS (Path): The folder.
    """
    from transformers import AutoConfig, AutoModel

    kind = KINDS[model_type]
    tokenizer = kind.make_tokenizer()
    offset = kind.settings.get("pad_token_id", -1) + 1  # positions of RoBERTa and its kin begin after the padding's
    sizes = {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": positions + offset}
    if model_type == "distilbert":
        sizes |= {"dim": width, "hidden_dim": 2 * width, "n_layers": 2, "n_heads": 4}
        sizes |= {"dropout": dropout, "attention_dropout": dropout}
    else:
        sizes |= {"hidden_size": width, "intermediate_size": 2 * width, "num_hidden_layers": 2}
        sizes |= {"num_attention_heads": 4, "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    config = AutoConfig.for_model(model_type, **(kind.settings | sizes), initializer_range=0.2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    saved: dict[str, Any] = {"tokenizer_class": kind.tokenizer_class, **kind.special}
    if limit is not None:
        saved["model_max_length"] = limit
    (folder / "tokenizer_config.json").write_text(json.dumps(saved, indent=2), encoding="utf-8")
    return folder

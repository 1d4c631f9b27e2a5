"""Rewrite a BERT as a DistilBERT that computes the same hidden states.

With every token of type 0, BERT's token-type row can be added to each position's row; the rest is a change of
names. The pooler is left out.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Errors
from ..models.hf.pretrained import without_bars

if TYPE_CHECKING:
    import torch
    import transformers

# DistilBERT computes its LayerNorms with this epsilon, whatever its config.json says.
DISTILBERT_EPS = 1e-12
RENAMED = (
    (r"^encoder\.", "transformer."),
    (r"\.attention\.self\.query\.", ".attention.q_lin."),
    (r"\.attention\.self\.key\.", ".attention.k_lin."),
    (r"\.attention\.self\.value\.", ".attention.v_lin."),
    (r"\.attention\.output\.dense\.", ".attention.out_lin."),
    (r"\.attention\.output\.LayerNorm\.", ".sa_layer_norm."),
    (r"\.intermediate\.dense\.", ".ffn.lin1."),
    (r"\.output\.dense\.", ".ffn.lin2."),
    (r"\.output\.LayerNorm\.", ".output_layer_norm."),
)
LEFT_OUT = re.compile(r"^(pooler\.|embeddings\.position_ids$|embeddings\.token_type_embeddings\.)")

SENTENCES = (
    "The Golden State Warriors are an American professional basketball team based in San Francisco.",
    "omg just met @zyx at Blorbo's !!! #winning \U0001f389",
    "Ça va ? Crème brûlée für 3,50 € — 東京で食べた",
    "a",
    "the same few words again and again " * 60,
)


def fold_bert_weights(bert: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """Rewrite the weights of a BertModel for a DistilBertModel that computes the same hidden states.

    bert (dict[str, torch.Tensor]): The state of a BertModel, without a "bert." prefix.
    RETURNS (dict[str, torch.Tensor]): The state of a DistilBertModel. The pooler is left out.
    """
    distilbert = {}
    for name, value in bert.items():
        if LEFT_OUT.match(name):
            continue
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        distilbert[name] = value.clone()
    distilbert["embeddings.position_embeddings.weight"] += bert["embeddings.token_type_embeddings.weight"][0]
    return distilbert


def fold_bert_config(bert: dict[str, Any]) -> dict[str, Any]:
    """Rewrite a BERT's config.json for DistilBERT.

    bert (dict[str, Any]): The content of the BERT's config.json.
    RETURNS (dict[str, Any]): The content of a DistilBERT's config.json.
    RAISES (ValueError): TC333, if the BERT has something that DistilBERT cannot express.
    """
    needed = {
        "layer_norm_eps": DISTILBERT_EPS,
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "hidden_dropout_prob": bert["attention_probs_dropout_prob"],
    }
    for key, value in needed.items():
        if bert.get(key, value) != value:
            raise ValueError(Errors.TC333.format(detail=f"{key} is {bert[key]!r}, and has to be {value!r}"))
    return {
        "architectures": ["DistilBertModel"],
        "model_type": "distilbert",
        "activation": bert["hidden_act"],
        "attention_dropout": bert["attention_probs_dropout_prob"],
        "dropout": bert["hidden_dropout_prob"],
        "dim": bert["hidden_size"],
        "hidden_dim": bert["intermediate_size"],
        "initializer_range": bert["initializer_range"],
        "max_position_embeddings": bert["max_position_embeddings"],
        "n_heads": bert["num_attention_heads"],
        "n_layers": bert["num_hidden_layers"],
        "pad_token_id": bert["pad_token_id"],
        "sinusoidal_pos_embds": False,
        "torch_dtype": "float32",
        "vocab_size": bert["vocab_size"],
    }


def max_difference(bert: "dict[str, torch.Tensor]", bert_config: dict[str, Any], folder: Path) -> float:
    """Compare the hidden states of every layer of the BERT with those of the DistilBERT in a folder.

    Both compute in double precision: the figure shows the rewriting, not the rounding of two kernels.

    bert (dict[str, torch.Tensor]): The state of the BertModel.
    bert_config (dict[str, Any]): Its config.json.
    folder (Path): The folder of the DistilBERT, with its tokenizer.
    RETURNS (float): The largest absolute difference, over a few sentences in one batch, padding left out.
    """
    import torch
    import transformers

    config = transformers.BertConfig(**{k: v for k, v in bert_config.items() if k != "model_type"})
    reference = transformers.BertModel(config, add_pooling_layer=False)
    wanted = reference.state_dict().keys()
    reference.load_state_dict({k: v for k, v in bert.items() if k in wanted}, strict=True)
    with without_bars():
        model = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    batch = tokenizer(list(SENTENCES), padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        pairs = zip(_states(reference, batch), _states(model, batch), strict=True)
        real = batch["attention_mask"].bool()
        return max(float((ours - theirs)[real].abs().max()) for theirs, ours in pairs)


def _states(model: "transformers.PreTrainedModel", batch: dict[str, Any]) -> "tuple[torch.Tensor, ...]":
    out = model.double().eval()(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], output_hidden_states=True
    )
    return out.hidden_states

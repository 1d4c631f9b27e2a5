"""Where the layers of BERT and its family lie in their Hugging Face modules."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ...compat import has_hooks
from ..casing import NAME as CASING

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Encoders that are one computation under several names: learned absolute positions, layer norm after each residual
#: connection. MPNet's attention also reads how far pieces are from each other.
FAMILY = {
    "DistilBertModel",
    "BertModel",
    "RobertaModel",
    "XLMRobertaModel",
    "CamembertModel",
    "ElectraModel",
    "MPNetModel",
}
#: Those of them that count positions from the padding's id on, over the pieces that are not padding.
OFFSET_FAMILY = {"RobertaModel", "XLMRobertaModel", "CamembertModel", "MPNetModel"}
#: Buckets of distances that MPNet's attention knows, whatever its config.json says.
BUCKETS = 32


class Block(NamedTuple):
    """One layer: attention, then a feed-forward layer of two linear layers with an activation between them.

    qkv (tuple[nn.Linear, nn.Linear, nn.Linear]): To queries, keys and values; (width, width) each.
    out, out_norm: The attention's output layer, (width, width), and the norm after its residual connection.
    up, activation, down, down_norm: The feed-forward layer, and the norm after its residual connection.
    attention_dropout, out_dropout, down_dropout (float): Dropout rates: of attention probabilities, and before each of
        the two residual connections.
    """

    qkv: "tuple[nn.Linear, nn.Linear, nn.Linear]"
    out: "nn.Linear"
    out_norm: "nn.LayerNorm"
    up: "nn.Linear"
    activation: "Callable[[Tensor], Tensor]"
    down: "nn.Linear"
    down_norm: "nn.LayerNorm"
    attention_dropout: float
    out_dropout: float
    down_dropout: float


class Modules(NamedTuple):
    """The layers of an encoder, in the order of the computation.

    words, positions, types (nn.Embedding): The tables that are summed; types where the encoder has any.
    norm, dropout: What follows the sum.
    project (nn.Linear | None): From the width of the embeddings to that of the layers, where they differ (ELECTRA).
    blocks (list[Block]): The layers.
    heads (int): Attention heads of each.
    pad_position (int | None): The id of the padding, where positions are counted from it; None if from 0.
    distances (nn.Embedding | None): What each head of every layer adds to its scores, by the bucket of the distance
        between two pieces (MPNet); None for an encoder without. See `relative_positions`.
    casing (nn.Embedding | None): Our own embedding of casings, if it was added.
    """

    words: "nn.Embedding"
    positions: "nn.Embedding"
    types: "nn.Embedding | None"
    norm: "nn.LayerNorm"
    dropout: float
    project: "nn.Linear | None"
    blocks: list[Block]
    heads: int
    pad_position: int | None
    distances: "nn.Embedding | None"
    casing: "nn.Embedding | None"


def is_of_family(module: "nn.Module") -> bool:
    """Tell whether an encoder is one of BERT's family, as transformers has it; hooks and adapters may come and go.

    module (nn.Module): A Hugging Face encoder.
    RETURNS (bool): Whether `find_modules` may find its layers.
    """
    config = getattr(module, "config", None)
    if type(module).__name__ not in FAMILY or not type(module).__module__.startswith("transformers."):
        return False
    positions = getattr(config, "position_embedding_type", None)
    return not getattr(config, "is_decoder", False) and positions in (None, "absolute")


def find_modules(module: "nn.Module") -> Modules | None:
    """Find the layers of an encoder of BERT's family.

    module (nn.Module): A Hugging Face encoder.
    RETURNS (Modules | None): Its layers, or None if it is none of the family, or something was changed or added in it
        (adapters, hooks, other layers), so that only its own forward pass is right.
    """
    if not is_of_family(module) or has_hooks(module):
        return None
    name = type(module).__name__
    own = {"DistilBertModel": _distilbert, "MPNetModel": _mpnet}
    modules = own[name](module) if name in own else _bert(module, name)
    return modules if _is_plain(modules) else None


def _distilbert(module: Any) -> Modules:
    blocks = [
        Block(
            (layer.attention.q_lin, layer.attention.k_lin, layer.attention.v_lin),
            layer.attention.out_lin,
            layer.sa_layer_norm,
            layer.ffn.lin1,
            layer.ffn.activation,
            layer.ffn.lin2,
            layer.output_layer_norm,
            _rate(layer.attention.dropout),
            0.0,
            _rate(layer.ffn.dropout),
        )
        for layer in module.transformer.layer
    ]
    first = module.embeddings
    return Modules(
        first.word_embeddings,
        first.position_embeddings,
        None,
        first.LayerNorm,
        _rate(first.dropout),
        None,
        blocks,
        module.config.n_heads,
        None,
        None,
        getattr(module, CASING, None),
    )


def _bert(module: Any, name: str) -> Modules:
    blocks = [
        Block(
            (layer.attention.self.query, layer.attention.self.key, layer.attention.self.value),
            layer.attention.output.dense,
            layer.attention.output.LayerNorm,
            layer.intermediate.dense,
            layer.intermediate.intermediate_act_fn,
            layer.output.dense,
            layer.output.LayerNorm,
            _rate(layer.attention.self.dropout),
            _rate(layer.attention.output.dropout),
            _rate(layer.output.dropout),
        )
        for layer in module.encoder.layer
    ]
    first = module.embeddings
    return Modules(
        first.word_embeddings,
        first.position_embeddings,
        first.token_type_embeddings,
        first.LayerNorm,
        _rate(first.dropout),
        getattr(module, "embeddings_project", None),
        blocks,
        module.config.num_attention_heads,
        first.padding_idx if name in OFFSET_FAMILY else None,
        None,
        getattr(module, CASING, None),
    )


def _mpnet(module: Any) -> Modules:
    blocks = [
        Block(
            (layer.attention.attn.q, layer.attention.attn.k, layer.attention.attn.v),
            layer.attention.attn.o,
            layer.attention.LayerNorm,
            layer.intermediate.dense,
            layer.intermediate.intermediate_act_fn,
            layer.output.dense,
            layer.output.LayerNorm,
            _rate(layer.attention.attn.dropout),
            _rate(layer.attention.dropout),
            _rate(layer.output.dropout),
        )
        for layer in module.encoder.layer
    ]
    first = module.embeddings
    return Modules(
        first.word_embeddings,
        first.position_embeddings,
        None,
        first.LayerNorm,
        _rate(first.dropout),
        None,
        blocks,
        module.config.num_attention_heads,
        first.padding_idx,
        module.encoder.relative_attention_bias,
        getattr(module, CASING, None),
    )


def _rate(dropout: Any) -> float:
    return float(dropout.p)


def _is_plain(modules: Modules) -> bool:
    """Tell whether all layers are torch's own: an adapter would stand in for one."""
    from torch import nn

    embeddings = [modules.words, modules.positions]
    embeddings += [table for table in (modules.types, modules.distances) if table is not None]
    linear = [layer for block in modules.blocks for layer in (*block.qkv, block.out, block.up, block.down)]
    linear += [modules.project] if modules.project is not None else []
    norms = [modules.norm, *(norm for block in modules.blocks for norm in (block.out_norm, block.down_norm))]
    return (
        all(type(part) is nn.Embedding and part.max_norm is None for part in embeddings)
        and all(type(part) is nn.Linear and part.bias is not None for part in linear)
        and all(type(part) is nn.LayerNorm for part in norms)
        and (modules.distances is None or modules.distances.num_embeddings >= BUCKETS)
    )

"""The heads of Hugging Face's token classifiers: where their weights are, and how a checkpoint's become ours.

Nearly every `...ForTokenClassification` is encoder -> dropout -> `classifier` (a linear layer). ModernBERT adds a dense
layer, an activation and a layer norm in front; they are the `transform` of our own head.
"""

import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from thinc.api import Model, NumpyOps
from thinc.types import Floats1d, Floats2d, FloatsXd

from ...errors import Errors, Warnings
from ...runtime.arrays import to_array
from ..head_transform import PARAMS, fill_transform

if TYPE_CHECKING:
    from torch import nn

_NUMPY = NumpyOps()


class Head(NamedTuple):
    """Where a family keeps the weights of its head.

    classifier (str): Name of the linear layer.
    transform (str): Name of what lies between encoder and dropout, "" for nothing.
    """

    classifier: str = "classifier"
    transform: str = ""


# Not here: BigBird, ConvBERT, Nystromformer and YOSO, whose logits depend on the padding, so on the rest of a batch.
_PLAIN = """
albert bert camembert data2vec-text deberta deberta-v2 distilbert electra ernie esm ibert longformer megatron-bert
mobilebert mpnet mra rembert roberta roberta-prelayernorm roformer squeezebert xlm-roberta xlm-roberta-xl xmod
"""

#: Heads by the `model_type` of a config.json.
HEADS: dict[str, Head] = {**dict.fromkeys(_PLAIN.split(), Head()), "modernbert": Head(transform="head")}


class HeadWeights(NamedTuple):
    """The head of a checkpoint.

    transform (dict[str, FloatsXd]): Arrays of dense layer and layer norm by name, empty if the family has none.
    activation (str): Name of the activation between the two.
    eps (float): Of the layer norm.
    classifier (tuple[Floats2d, Floats1d] | None): Weights (n_tags, width) and bias (n_tags,); None for a checkpoint
        of which only the encoder is wanted.
    tags (list[str]): Names of the classifier's rows.
    dropout (float): Rate of the dropout before the classifier.
    scheme (str): The scheme of the names, if somebody said which; else it is read off them.
    """

    transform: dict[str, FloatsXd]
    activation: str
    eps: float
    classifier: tuple[Floats2d, Floats1d] | None
    tags: list[str]
    dropout: float
    scheme: str = ""


def head_of(model_type: str, *, name: str) -> Head:
    """Look up the head of a family.

    model_type (str): The family, as a config.json names it.
    name (str): The model, for the message.
    RETURNS (Head): Where its weights are.
    RAISES (ValueError): TC250, for a family that is not in the table.
    """
    if model_type not in HEADS:
        raise ValueError(Errors.TC250.format(model_type=model_type, name=name, known=", ".join(sorted(HEADS))))
    return HEADS[model_type]


def read_head(
    module: "nn.Module", head: Head, *, name: str, trained: bool, described: dict[str, Any] | None = None
) -> HeadWeights:
    """Read the head of a Hugging Face token classifier.

    module (nn.Module): The model.
    head (Head): Its place in the table.
    name (str): The model, for messages.
    trained (bool): Whether the classifier's weights are wanted, and not only what lies before it.
    described (dict[str, Any] | None): The checkpoint's config.json, for the names of the labels.
    RETURNS (HeadWeights): The head, as copies in float32.
    RAISES (ValueError): TC251, if its weights are others than the table says; TC085, if its labels cannot be read.
    """
    tensors = _outside(module, head, name=name)
    arrays = {key: to_array(tensor, _NUMPY).copy() for key, tensor in tensors.items()}
    transform = {key: arrays[full] for key in PARAMS if (full := f"{head.transform}.{key}") in arrays}
    norm = getattr(module, head.transform).norm if head.transform else None
    config: Any = module.config
    classifier = (arrays[f"{head.classifier}.weight"], arrays[f"{head.classifier}.bias"])
    labels = read_label_map(described or {}, len(classifier[1]), name=name) if trained else []
    return HeadWeights(
        transform,
        str(getattr(config, "classifier_activation", "")) if transform else "",
        float(norm.eps) if norm is not None else 0.0,
        classifier if trained else None,
        labels if trained else [],
        _dropout(module),
    )


def read_label_map(described: dict[str, Any], n_rows: int, *, name: str) -> list[str]:
    """Name the rows of a classifier, from `id2label`, else from `label2id`, else LABEL_0, LABEL_1 as transformers does.

    described (dict[str, Any]): The checkpoint's config.json.
    n_rows (int): Rows of the classifier.
    name (str): The model, for messages.
    RETURNS (list[str]): The names, in order.
    RAISES (ValueError): TC085, if `id2label` does not name each row.
    """
    unnamed = {row: f"LABEL_{row}" for row in range(n_rows)}
    given, other = described.get("id2label"), described.get("label2id")
    by_name = {label: row for label, row in other.items() if type(row) is int} if isinstance(other, dict) else {}
    rows = unnamed if given is None else _numbered(given, n_rows, name)
    if rows == unnamed and sorted(by_name.values()) == list(range(n_rows)):
        return [label for label, _ in sorted(by_name.items(), key=lambda pair: pair[1])]
    for label, row in by_name.items():
        if label in rows.values() and rows.get(row) != label:
            facts = {"name": name, "other": label, "row": row, "label": rows.get(row)}
            warnings.warn(Warnings.TW205.format(**facts), stacklevel=2)
            break
    return [rows[row] for row in range(n_rows)]


def _numbered(labels: Any, n_rows: int, name: str) -> dict[int, str]:
    """Read `id2label`, whose keys are strings in JSON."""
    detail = ""
    rows: dict[int, str] = {}
    if isinstance(labels, dict):
        rows = {int(key): label for key, label in labels.items() if re.fullmatch(r"\d+", str(key), re.ASCII)}
    wrong = [label for label in rows.values() if not isinstance(label, str) or not label.strip()]
    if not isinstance(labels, dict) or len(rows) != len(labels):
        detail = f"id2label is {str(labels)[:80]}."
    elif sorted(rows) != list(range(n_rows)):
        detail = f"id2label names the rows {', '.join(map(str, sorted(rows)[:12]))}."
    elif wrong:
        detail = f"id2label has the name {wrong[0]!r}."
    if detail:
        raise ValueError(Errors.TC085.format(name=name, detail=detail, rows=n_rows))
    return rows


def use_head(model: Model, head: HeadWeights, tags: list[str]) -> None:
    """Put a checkpoint's head into a token classifier: the transform, and the rows of the tags that both have.

    model (Model): A token classifier with weights.
    head (HeadWeights): The head.
    tags (list[str]): The tags of the token classifier, in the order of its rows.
    """
    if head.transform:
        fill_transform(model.get_ref("transform"), head.transform, activation=head.activation, eps=head.eps)
    if head.classifier is None:
        return
    layer = model.get_ref("output_layer")
    weights: Any = layer.get_param("W").copy()  # (n_tags, width)
    bias: Any = layer.get_param("b").copy()  # (n_tags,)
    given: Any = head.classifier
    rows = {tag: row for row, tag in enumerate(head.tags)}
    for own, tag in enumerate(tags):
        if tag in rows:
            weights[own] = layer.ops.asarray_f(given[0][rows[tag]])
            bias[own] = layer.ops.asarray_f(given[1][rows[tag]])
    layer.set_param("W", weights)
    layer.set_param("b", bias)


def _outside(module: "nn.Module", head: Head, *, name: str) -> dict[str, Any]:
    """Give the tensors outside of the encoder by name, if they are those that the table says."""
    prefix = f"{module.base_model_prefix}."
    rest = {key: value for key, value in module.state_dict().items() if not key.startswith(prefix)}
    required = {f"{head.classifier}.weight", f"{head.classifier}.bias"}
    optional = set()
    if head.transform:
        names = {f"{head.transform}.{key}" for key in PARAMS}
        optional = {key for key in names if key.endswith(".bias")}
        required |= names - optional
    if required - set(rest) or set(rest) - required - optional:
        raise ValueError(Errors.TC251.format(name=name, found=sorted(rest), expected=sorted(required)))
    return rest


def _dropout(module: "nn.Module") -> float:
    from torch import nn

    return next((float(child.p) for child in module.children() if isinstance(child, nn.Dropout)), 0.0)

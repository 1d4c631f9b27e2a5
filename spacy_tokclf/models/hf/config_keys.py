"""What of a `config.json` may build a module: the fields of its class. All else is left out, and so are fields that
have transformers fetch or run something, or load weights in another way."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import Errors

if TYPE_CHECKING:
    from torch import Tensor

#: Fields that say nothing of the weights: what runs the module, how it was loaded, and what it gives beside vectors.
_NOT_OURS = """
architectures attn_implementation auto_map backbone backbone_config backbone_kwargs compression_config dtype
experts_implementation name_or_path num_labels output_attentions output_hidden_states per_layer_config
quantization_config return_dict torch_dtype torchscript transformers_version use_cache use_pretrained_backbone
use_timm_backbone use_kernels
"""
NOT_OURS = frozenset(_NOT_OURS.split())
#: Where an export from here keeps settings of its own in a config.json.
OWN_KEY = "spacy_tokclf"
#: Older names of rotary embeddings, which newer classes still understand.
OLDER = ("rope_scaling", "rope_parameters")
#: No whole number in a config.json of an encoder is larger.
LARGEST = 1 << 31
#: A classifier without names for its labels has as many as its config says, up to this.
MOST_LABELS = 1 << 16
#: Numbers that a module may have beside its weights: positions, masks, layers that are left out again.
SPARE = 1 << 24


def allowed_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the class of a config has as fields, and numbers by which older versions of it said the same.

    config (Mapping[str, Any]): The contents of a `config.json`.
    RETURNS (dict[str, Any]): The entries that a module may be built from, and `model_type`.
    RAISES (ValueError): TC426, if there is no such class, or it is none of texts, or a number cannot be.
    """
    from transformers import CONFIG_MAPPING

    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING:
        raise _wrong(f"its model_type is {str(model_type)[:80]!r}, which this version of transformers does not know.")
    made: Any = CONFIG_MAPPING[model_type]
    fields = {*made().to_dict(), *made.attribute_map} - NOT_OURS
    kept: dict[str, Any] = {"model_type": model_type}
    for key, value in config.items():
        is_field = key in fields or key in OLDER
        is_older = not is_field and not hasattr(made, key) and isinstance(value, int | float)
        if key.startswith("_") or key in NOT_OURS or not (is_field or is_older):
            continue
        kept[key] = _inner(value)
    labels = config.get("num_labels")
    if not config.get("id2label") and isinstance(labels, int) and 0 < labels <= MOST_LABELS:
        kept["num_labels"] = labels
    _check_numbers(kept)
    return kept


def _inner(value: Any) -> Any:
    """Leave such entries out of what lies within a field, too."""
    if isinstance(value, dict):
        named = {key: inner for key, inner in value.items() if not (str(key).startswith("_") or key in NOT_OURS)}
        return {key: _inner(inner) for key, inner in named.items()}
    return [_inner(each) for each in value] if isinstance(value, list) else value


def _check_numbers(value: Any, name: str = "config.json") -> None:
    """Refuse whole numbers that no size can be."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_numbers(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            _check_numbers(inner, name)
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise _wrong(f"{name} is {str(value)[:20]}.")


def check_layers(config: Mapping[str, Any], n_weights: int) -> None:
    """Refuse more layers than there are weights, before transformers counts them.

    config (Mapping[str, Any]): What `allowed_keys` gave.
    n_weights (int): The number of weights in the file.
    RAISES (ValueError): TC426.
    """
    for key, value in config.items():
        if "layer" in key and isinstance(value, int) and value > max(n_weights, 64):
            raise _wrong(f"{key} is {value}, and there are {n_weights} weights.")


@contextlib.contextmanager
def at_most(numbers: int) -> Iterator[None]:
    """Build a module that cannot be much larger than its weights: it is refused while it grows.

    numbers (int): How many numbers the weights are.
    RAISES (ValueError): TC426.
    """
    from torch.overrides import TorchFunctionMode

    left = 2 * numbers + SPARE

    class Counting(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal left
            name = getattr(func, "__name__", "")
            if name in _MAKERS:
                left -= _size(name, args, kwargs or {})
                if left < 0:
                    raise _wrong(f"it would have far more numbers than the {numbers:,} of its weights.")
            return func(*args, **(kwargs or {}))

    with Counting():
        yield


_MAKERS = ("empty", "zeros", "ones", "full", "rand", "randn", "arange")


def _size(name: str, args: Any, kwargs: Mapping[str, Any]) -> int:
    """Count the numbers that a call makes."""
    if name == "arange":
        ends = [*args, kwargs.get("start", 0), kwargs.get("end", 0)]
        return int(max(abs(end) for end in ends if isinstance(end, int | float)))
    shape = kwargs.get("size", args[0] if args and isinstance(args[0], tuple | list) else args)
    total = 1
    for side in shape if isinstance(shape, tuple | list) else (shape,):
        total *= int(side) if isinstance(side, int) else 1
    return max(total, 0)


def count_numbers(state: Mapping[str, "Tensor"]) -> int:
    """RETURNS (int): How many numbers some weights are."""
    return sum(tensor.numel() for tensor in state.values())


def _wrong(detail: str) -> ValueError:
    return ValueError(Errors.TC426.format(where="the encoder", detail=detail))

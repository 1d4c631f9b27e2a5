"""What a saved encoder is made of, read and checked before any of it is used: config, tokenizer and weights, each by
itself and each against the others."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Errors
from ..runtime.reading import LARGE, SMALL, check_file, expect_keys, read_file, read_json
from ..wordpieces.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, CONFIG, TOKENIZER, TOKENIZER_CONFIG = (
    "model.safetensors",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
FILES = (WEIGHTS, CONFIG, TOKENIZER, TOKENIZER_CONFIG)
#: Entries of a tokenizer_config.json that we go by, beside the names of special pieces.
PLAIN = ("pad_id", "model_max_length", "model_input_names", "add_prefix_space")
SPECIAL = "special_tokens"


class EncoderFiles(NamedTuple):
    """A saved encoder.

    config (dict[str, Any]): As of its `config.json`.
    tokenizer (PieceTokenizer): The tokenizer.
    tokenizer_config (dict[str, Any]): `pad_id`, `model_max_length` and more, and the special pieces by their names.
    state (dict[str, Tensor]): Finite weights by name.
    """

    config: dict[str, Any]
    tokenizer: PieceTokenizer
    tokenizer_config: dict[str, Any]
    state: "dict[str, Tensor]"


def read_encoder(path: Path) -> EncoderFiles:
    """Read the folder of an encoder, and nothing else.

    path (Path): The folder.
    RETURNS (EncoderFiles): What it holds.
    RAISES (ValueError): TC096, TC420 to TC425 or TC428, with the file that is at fault.
    """
    from safetensors.torch import load_file

    inside = path.parent  # the component's folder: an encoder that is a link out of it is refused, too
    config = read_json(read_file(path / CONFIG, within=inside, limit=SMALL), CONFIG)
    saved = read_json(read_file(path / TOKENIZER_CONFIG, within=inside, limit=SMALL), TOKENIZER_CONFIG)
    tokenizer = read_file(path / TOKENIZER, within=inside, limit=LARGE)
    check_file(path / WEIGHTS, within=inside)
    saved = expect_keys(saved, ("pad_id", "model_max_length"), TOKENIZER_CONFIG)
    settings = {key: saved[key] for key in PLAIN if key in saved}
    settings[SPECIAL] = {key: value for key, value in saved.items() if key.endswith("_token")}
    return check_encoder(config, tokenizer, settings, load_file(str(path / WEIGHTS)))


def check_encoder(
    config: Any, tokenizer_json: str | bytes, tokenizer_config: Any, state: "dict[str, Tensor]"
) -> EncoderFiles:
    """Check the parts of an encoder that was saved.

    config (dict[str, Any]): The contents of its `config.json`.
    tokenizer_json (str | bytes): The contents of its `tokenizer.json`.
    tokenizer_config (dict[str, Any]): As for `EncoderFiles`.
    state (dict[str, Tensor]): Weights by name.
    RETURNS (EncoderFiles): The same.
    RAISES (ValueError): As for `read_encoder`.
    """
    config = dict(expect_keys(config, ("model_type",), CONFIG))
    check_settings(tokenizer_config)
    check_finite(state)
    tokenizer = PieceTokenizer(read_tokenizer(tokenizer_json))
    return EncoderFiles(config, tokenizer, dict(tokenizer_config), state)


def read_tokenizer(tokenizer_json: str | bytes) -> str:
    """Check that a `tokenizer.json` is JSON with a model in it.

    tokenizer_json (str | bytes): Its contents.
    RETURNS (str): The same.
    RAISES (ValueError): TC421 or TC423.
    """
    expect_keys(expect_keys(read_json(tokenizer_json, TOKENIZER), ("model",), TOKENIZER)["model"], (), TOKENIZER)
    return tokenizer_json.decode("utf-8") if isinstance(tokenizer_json, bytes) else tokenizer_json


def check_settings(settings: Any) -> None:
    """Check what else is known of a tokenizer.

    settings (dict[str, Any]): As `tokenizer_config` of `EncoderFiles`.
    RAISES (ValueError): TC423 or TC428.
    """
    settings = expect_keys(settings, ("pad_id", "model_max_length", SPECIAL), TOKENIZER_CONFIG)
    special = expect_keys(settings[SPECIAL], (), f"{SPECIAL} of {TOKENIZER_CONFIG}")
    for name, least in (("pad_id", 0), ("model_max_length", 1)):
        _expect_whole(settings[name], name, TOKENIZER_CONFIG, least)
    wrong = [name for name, value in special.items() if not isinstance(value, str)]
    names = settings.get("model_input_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        wrong.append("model_input_names")
    if not isinstance(settings.get("add_prefix_space", False), bool):
        wrong.append("add_prefix_space")
    for name in wrong:
        found = repr(special.get(name, settings.get(name)))[:80]
        raise ValueError(
            Errors.TC428.format(name=name, where=TOKENIZER_CONFIG, value=found, expected="what was saved there")
        )


def _expect_whole(value: Any, name: str, where: str, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        expected = f"a whole number, at least {least}"
        raise ValueError(Errors.TC428.format(name=name, where=where, value=repr(value)[:80], expected=expected))


def check_finite(state: "Mapping[str, Tensor]") -> None:
    """Refuse weights that are no finite numbers. Sums tell that in one pass: what is not finite stays so.

    state (Mapping[str, Tensor]): Weights by name.
    RAISES (ValueError): TC424.
    """
    import torch

    for name, tensor in state.items():
        if tensor.dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
            total = tensor.sum(dtype=max(torch.float32, tensor.dtype, key=lambda kind: kind.itemsize))
            if torch.isfinite(total) or bool(torch.isfinite(tensor).all()):
                continue
            found = "nan or infinite"
        elif tensor.dtype in (torch.int64, torch.int32, torch.bool) and tensor.ndim <= 2:
            continue  # positions and the like: `check_weights` knows which of them are to be whole
        else:
            found = f"of the type {str(tensor.dtype).removeprefix('torch.')}"
        raise ValueError(Errors.TC424.format(where=WEIGHTS, weights=name, found=found))


def check_rows(tokenizer: PieceTokenizer, rows: int, pad_id: int, where: str) -> None:
    """Refuse a tokenizer that has pieces beyond the table of embeddings.

    tokenizer (PieceTokenizer): The tokenizer.
    rows (int): Rows of the table.
    pad_id (int): The piece that pads.
    where (str): What both belong to, for the message.
    RAISES (ValueError): TC425.
    """
    highest = max(tokenizer.highest_id, pad_id)
    if highest >= rows:
        raise ValueError(Errors.TC425.format(where=where, piece=highest, rows=rows))

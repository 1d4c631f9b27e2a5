"""The shim of a Hugging Face encoder: the torch module, its config and tokenizer, its backend; serialization."""

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import srsly
from thinc.api import NumpyOps, Optimizer
from thinc.types import FloatsXd

from .. import compat
from ..errors import Errors
from ..runtime.arrays import to_array, to_host, to_tensor
from ..runtime.device import device_of, place
from ..runtime.dropout import rng_kept
from ..runtime.reading import expect_keys, is_there, read_msgpack
from ..wordpieces.tokenizer import PieceTokenizer
from .backend import Backend, TransformersBackend
from .base_shim import BaseEncoderShim
from .casing import CASING_WEIGHT, add_casing
from .casing import NAME as CASING
from .encoder_files import (
    CONFIG,
    FILES,
    TOKENIZER,
    TOKENIZER_CONFIG,
    WEIGHTS,
    EncoderFiles,
    check_encoder,
    check_rows,
    read_encoder,
)
from .hf.config_keys import allowed_keys, at_most, check_layers, count_numbers
from .hf.heads import HeadWeights
from .hf.pretrained import Pretrained, module_from_config
from .optimizer_contract import TwoPhaseOptimizer, suits_encoder
from .padding_free.modules import is_of_family

if TYPE_CHECKING:
    import torch
    from torch import nn


_NUMPY = NumpyOps()


class EncoderShim(BaseEncoderShim):
    """Hold an encoder (`module`), its `config`, and its tokenizer. Empty until `fill` or a load."""

    def __init__(self, backend: str = "auto") -> None:
        """Begin without an encoder.

        backend (str): What runs it, as for `choose_backend`.
        """
        super().__init__(None)
        self.backend_name = backend
        self.config: dict[str, Any] = {}
        self.tokenizer_config: dict[str, Any] = {}
        self._tokenizer: PieceTokenizer | None = None
        self.head: HeadWeights | None = None
        self._backend: Backend | None = None
        self._suited = True  # by all optimizers so far; one warning is enough

    @property
    def backend(self) -> Backend:
        """RETURNS (Backend): What runs the encoder, chosen when it was filled; on the current device.

        RAISES (ValueError): TC012, while there is none.
        """
        module = self.module
        if self._backend is None or self._backend.module is not module:
            self._choose_backend()  # somebody put another module in (an adapter's, a quantized one)
        return cast(Backend, self._backend)

    def _choose_backend(self) -> None:
        if self._model is not None:
            self._backend = choose_backend(self.backend_name, self._model, self.tokenizer, self.pad_id)

    def _forget_weights(self) -> None:
        if self._backend is not None:
            self._backend.forget_weights()

    @property
    def is_filled(self) -> bool:
        """RETURNS (bool): Whether there is an encoder."""
        return self._model is not None

    @property
    def module(self) -> "nn.Module":
        """RETURNS (nn.Module): The encoder, on the current device.

        RAISES (ValueError): TC012, while there is none.
        """
        module = self._filled
        place(module)
        return module

    @property
    def _filled(self) -> "nn.Module":
        """The encoder, wherever it is. RAISES (ValueError): TC012, while there is none."""
        if self._model is None:
            raise ValueError(Errors.TC012)
        return self._model

    @property
    def device(self) -> "torch.device":
        """RETURNS (torch.device): Where the weights are."""
        return device_of(self.module)

    @property
    def tokenizer(self) -> PieceTokenizer:
        """RETURNS (PieceTokenizer): The tokenizer.

        RAISES (ValueError): TC012, while there is none.
        """
        if self._tokenizer is None:
            raise ValueError(Errors.TC012)
        return self._tokenizer

    @property
    def width(self) -> int:
        """RETURNS (int): Width of the encoder's vectors."""
        config: Any = self._filled.config
        return int(config.hidden_size)

    @property
    def reads_casings(self) -> bool:
        """RETURNS (bool): Whether the encoder reads the casing of words."""
        return hasattr(self._model, CASING)

    @property
    def pad_id(self) -> int:
        """RETURNS (int): The piece that pads."""
        return int(self.tokenizer_config["pad_id"])

    @property
    def max_pieces(self) -> int:
        """RETURNS (int): Pieces that the encoder can see at once, special pieces included."""
        encoder = self._filled
        config: Any = encoder.config
        limits = [int(self.tokenizer_config["model_max_length"])]
        found = (
            module
            for name, module in encoder.named_modules()
            if name.endswith("position_embeddings") and hasattr(module, "num_embeddings")
        )
        positions: Any = next(found, None)  # near the beginning: the walk over the layers is saved, for each text
        if positions is not None:
            offset = positions.padding_idx
            limits.append(positions.num_embeddings - (0 if offset is None else offset + 1))
        elif getattr(config, "max_position_embeddings", None):
            limits.append(int(config.max_position_embeddings))
        return min(limits)

    def fill(self, pretrained: Pretrained) -> None:
        """Take over a pretrained encoder. What it has of a head waits in `head` for the token classifiers that are
        initialized next; it is saved with them.

        pretrained (Pretrained): The encoder and its tokenizer.
        """
        self._model = pretrained.module
        self.config = allowed_keys(pretrained.config)
        self.tokenizer_config = pretrained.tokenizer_config
        self._tokenizer = PieceTokenizer(pretrained.tokenizer_json)
        self._choose_backend()
        self.head = pretrained.head

    def finish_update(self, optimizer: Optimizer) -> None:
        """Step the weights: all at once with a two-phase optimizer, else parameter by parameter, as thinc does.

        optimizer (Optimizer): Any thinc optimizer.
        """
        if not self.is_filled:
            return
        self._suited = self._suited and suits_encoder(optimizer)
        if isinstance(optimizer, TwoPhaseOptimizer):
            optimizer.step_module(self.id, self.module)
        else:
            self._step_each(optimizer)
        self._forget_weights()

    def _step_each(self, optimizer: Optimizer) -> None:
        for name, param in self.module.named_parameters():
            if param.grad is not None:
                weights = to_array(param.data, _NUMPY).copy()
                weights, _ = optimizer((self.id, name), weights, to_array(param.grad, _NUMPY).copy())
                param.data.copy_(to_tensor(weights, param.device))
                param.grad = None

    @contextlib.contextmanager
    def use_params(self, params: dict[tuple[int, str], FloatsXd]) -> Iterator[None]:
        """Swap in other values of the weights for a while, in place and without a copy where they are tensors.

        params (dict[tuple[int, str], FloatsXd]): Values by shim and parameter name.
        """
        if not self.is_filled:
            yield
            return
        own = dict(self.module.named_parameters())
        swapped: list[tuple[Any, Any]] = [
            (own[name], value) for (sid, name), value in params.items() if sid == self.id and name in own
        ]
        kept = [param.data for param, _ in swapped]
        for param, value in swapped:
            param.data = value if hasattr(value, "is_floating_point") else to_tensor(value, param.device)
        self._forget_weights()
        try:
            yield
        finally:
            for (param, _), value in zip(swapped, kept, strict=True):
                param.data = value
            self._forget_weights()

    def copy(self) -> "EncoderShim":
        """RETURNS (EncoderShim): A copy with other tensors and another id."""
        other = EncoderShim(self.backend_name)
        other.config = copy.deepcopy(self.config)
        other.tokenizer_config = copy.deepcopy(self.tokenizer_config)
        other._tokenizer = copy.deepcopy(self._tokenizer)
        other._model = copy.deepcopy(self._model)
        other._choose_backend()
        return other

    def to_bytes(self) -> bytes:
        """RETURNS (bytes): Weights (safetensors), config and tokenizer; empty while there is no encoder."""
        if not self.is_filled or self.is_elsewhere:
            return b""
        from safetensors.torch import save

        return srsly.msgpack_dumps(
            {
                CONFIG: self.config,
                TOKENIZER: self.tokenizer.to_str(),
                TOKENIZER_CONFIG: self.tokenizer_config,
                WEIGHTS: save(self._state()),
            }
        )

    def from_bytes(self, data: bytes) -> "EncoderShim":
        """Load what `to_bytes` gave.

        data (bytes): The bytes.
        RETURNS (EncoderShim): Itself, as it was if they are refused.
        RAISES (ValueError): TC013, TC096 or TC420 to TC428.
        """
        if data:
            from safetensors.torch import load

            parts = expect_keys(read_msgpack(data, "the encoder"), FILES, "the encoder")
            self._restore(check_encoder(parts[CONFIG], parts[TOKENIZER], parts[TOKENIZER_CONFIG], load(parts[WEIGHTS])))
        return self

    def to_disk(self, path: str | Path) -> None:
        """Write a folder that transformers can open as well: `config.json`, `model.safetensors`, `tokenizer.json`.

        path (str | Path): The folder.
        """
        if not self.is_filled:
            return
        from safetensors.torch import save_file

        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        # Not srsly's JSON, which keeps ten digits behind the point: an eps of 1e-12 would come back as 0.
        (path / CONFIG).write_text(json.dumps(self.config, indent=2), encoding="utf8")
        (path / TOKENIZER).write_text(self.tokenizer.to_str(), encoding="utf8")
        srsly.write_json(path / TOKENIZER_CONFIG, self.tokenizer_config_file())
        save_file(self._state(), str(path / WEIGHTS), metadata={"format": "pt"})

    def from_disk(self, path: str | Path) -> "EncoderShim":
        """Load the folder that `to_disk` wrote. Reads nothing else.

        path (str | Path): The folder.
        RETURNS (EncoderShim): Itself, as it was if the folder is refused, or if there is none.
        RAISES (ValueError): TC013, TC096 or TC420 to TC428.
        """
        if any(is_there(Path(path) / name) for name in FILES):
            self._restore(read_encoder(Path(path)))
        return self

    def tokenizer_config_file(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): A `tokenizer_config.json` that every supported transformers opens."""
        plain = {key: value for key, value in self.tokenizer_config.items() if key != "special_tokens"}
        special = self.tokenizer_config["special_tokens"]
        return {"tokenizer_class": "PreTrainedTokenizerFast", **special, **plain}

    def _state(self) -> dict[str, "torch.Tensor"]:
        """Give the weights under the names that Hugging Face saves: shared tensors once."""
        state, seen = {}, set()
        for name, tensor in self.module.state_dict().items():
            if tensor.data_ptr() not in seen or not tensor.numel():
                seen.add(tensor.data_ptr())
                state[name] = to_host(tensor)
        return state

    def _restore(self, files: EncoderFiles) -> None:
        """Build the encoder that files describe, and take it over when all of it fits."""
        config = allowed_keys(files.config)
        check_layers(config, len(files.state))
        with rng_kept(), at_most(count_numbers(files.state)):
            module = module_from_config(config).eval()
        if CASING_WEIGHT in files.state or self.reads_casings:
            add_casing(module)
        check_weights(module, files.state)
        words: Any = module.get_input_embeddings()  # type: ignore[operator]  # transformers' method
        check_rows(files.tokenizer, len(words.weight), int(files.tokenizer_config["pad_id"]), "the encoder")
        module.load_state_dict(files.state, strict=False)
        self._model, self.config = module, config
        self.tokenizer_config, self._tokenizer = files.tokenizer_config, files.tokenizer
        self._choose_backend()
        self.head = None


def check_weights(module: "nn.Module", state: dict[str, "torch.Tensor"]) -> None:
    """Refuse weights that do not fit a module, before any of them is put in.

    module (nn.Module): The module.
    state (dict[str, torch.Tensor]): Weights by name; of tied ones it is enough to have one.
    RAISES (ValueError): TC013, if some are missing, unexpected or of another shape or kind.
    """
    own = module.state_dict()
    given = {own[name].data_ptr() for name in state if name in own}  # of tied weights one name is enough
    missing = [name for name, tensor in own.items() if name not in state and tensor.data_ptr() not in given]
    unexpected = [
        f"{name} {tuple(tensor.shape)}"
        for name, tensor in state.items()
        if name not in own
        or own[name].shape != tensor.shape
        or own[name].is_floating_point() != tensor.is_floating_point()
    ]
    if missing or unexpected:
        raise ValueError(Errors.TC013.format(missing=_some(missing), unexpected=_some(unexpected)))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) or "none") + more


def choose_backend(name: str, module: "nn.Module", tokenizer: PieceTokenizer, pad_id: int) -> Backend:
    """Choose what runs an encoder.

    name (str): "transformers" for the module's own forward pass; "auto" for the fastest that has an encoder of its
        kind: the padding-free one for BERT and its family, else the module's own. Where torch lacks a private operation
        that the padding-free one is made of, "auto" takes the module's own, with one warning (TW008).
    module (nn.Module): A Hugging Face encoder.
    tokenizer (PieceTokenizer): Its tokenizer.
    pad_id (int): The word piece that pads.
    RETURNS (Backend): The backend.
    """
    reference = TransformersBackend(module, tokenizer, pad_id)
    if name == "transformers":
        return reference
    if not is_of_family(module) or not compat.backward_operations_work():
        return reference
    from .graphed.backend import GraphedBackend

    return GraphedBackend(module, tokenizer, reference, pad_id)

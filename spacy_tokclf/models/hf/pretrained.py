"""Pretrained encoders: what is fetched once, at initialisation, from the Hub or a folder."""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import compat
from ...errors import Errors
from ...runtime.blame import is_own, is_panic, short
from ...wordpieces.prefix import prefix_space
from ...wordpieces.tokenizer import PieceTokenizer
from ..encoder_files import check_rows
from .checkpoint_files import check_checkpoint, check_dtypes, most_numbers
from .config_keys import OWN_KEY, allowed_keys, at_most
from .fetch import LAST, fetch_model
from .heads import HEADS, Head, HeadWeights, head_of, read_head

if TYPE_CHECKING:
    from torch import nn

#: Gives a `Pretrained`; the type is loose because pydantic resolves it when a config is read.
LoaderT = Callable[[], Any]


class Pretrained(NamedTuple):
    """An encoder with its tokenizer, ready to be put behind a model.

    module (nn.Module): The encoder, in float32.
    config (dict[str, Any]): Its `config.json`.
    tokenizer_json (str): Its `tokenizer.json`.
    tokenizer_config (dict[str, Any]): What else a Hugging Face tokenizer of it needs to know.
    head (HeadWeights | None): What the checkpoint has between the encoder and the labels, if that is wanted.
    """

    module: "nn.Module"
    config: dict[str, Any]
    tokenizer_json: str
    tokenizer_config: dict[str, Any]
    head: HeadWeights | None = None


#: How transformers is to open a folder: nothing is fetched, and no code of the folder is run, nor asked for.
ALONE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
#: Sizes in a config.json that transformers takes as they are, below 1 too.
SIZES = ("num_hidden_layers", "num_attention_heads", "hidden_size", "vocab_size")


class PretrainedEncoder:
    """A loader of a pretrained encoder; it reads nothing until it is called."""

    def __init__(self, name: str, revision: str | None = None, head: bool = False) -> None:
        self.name = name
        self.revision = revision
        self.head = head

    def __call__(self) -> Pretrained:
        """Load the encoder and its tokenizer.

        RETURNS (Pretrained): The encoder.
        RAISES (OSError): TC010, if there is no such folder or it is not whole; TC280 to TC285, if the Hub does not give
            the model: no such name or revision, a token refused, no connection, nothing in the cache, a full disk.
        RAISES (ValueError): TC011 or TC017, if the model has no fast tokenizer, or none at all; TC083 or TC084, if its
            weights are damaged or not all there; TC085 and TC250 to TC252, if the head is wanted and is of no known
            form, or the model has none, or its rows have no names.
        """
        from transformers import AutoConfig, AutoTokenizer

        self._check_path()
        folder = self.name if self.is_folder else str(fetch_model(self.name, self.revision))
        with self._reading():
            described = check_checkpoint(Path(folder))
            allowed = allowed_keys({**described, "model_type": _model_type(described, folder)})
            config = AutoConfig.for_model(**allowed)
            tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, config=config, **ALONE)
            if self.head and isinstance(described.get("id2label"), dict):
                config.num_labels = len(described["id2label"])  # transformers lets a num_labels beside it decide
            for size in SIZES:
                if isinstance(value := getattr(config, size, 1), int) and value < 1:
                    raise self._failure(f"{size} is {value} in its config.json.")
            is_fast = tokenizer.is_fast
            vocab = tokenizer.get_vocab() if is_fast else {}
        if not is_fast:
            raise ValueError(Errors.TC011.format(name=self.name, tokenizer=type(tokenizer).__name__))
        if not isinstance(tokenizer.model_max_length, int | float):
            raise self._failure(f"model_max_length of its tokenizer is {tokenizer.model_max_length!r}.")
        if set(vocab) <= set(tokenizer.all_special_tokens):
            # transformers 5 makes up an empty tokenizer where a model has none.
            raise ValueError(Errors.TC017.format(name=self.name, tokenizer=type(tokenizer).__name__))
        head = head_of(config.model_type, name=self.name) if self.head else HEADS.get(config.model_type, Head())
        with_head = self.head or bool(head.transform)
        with self._reading():
            check_dtypes(Path(folder))
        with self._reading(), at_most(most_numbers(Path(folder))):
            module, missing, misfits = _load(folder, config, with_head=with_head)
        if misfits:
            key, found, expected = misfits[0]
            raise self._failure(
                f"{key} has the shape {found} in the file and {expected} by config.json, where a classifier has a row "
                "for each name of id2label."
            )
        self._check_weights(module, missing, with_head=with_head)
        base: Any = module.base_model
        with self._reading():
            pieces = PieceTokenizer(tokenizer.backend_tokenizer.to_str())
            check_rows(pieces, len(base.get_input_embeddings().weight), tokenizer.pad_token_id or 0, repr(self.name))
        weights = None
        if with_head:
            weights = read_head(module, head, name=self.name, trained=self.head, described=described)
        tokenizer_config = _tokenizer_config(tokenizer, as_trained=self.head)
        tokenizer_json = tokenizer.backend_tokenizer.to_str()
        return Pretrained(
            base.float(), _plain_config(module.config, described), tokenizer_json, tokenizer_config, weights
        )

    def _failure(self, detail: str) -> OSError:
        return OSError(Errors.TC010.format(name=self.name, revision=self.revision or "main", detail=detail))

    def _check_weights(self, module: "nn.Module", missing: list[str], *, with_head: bool) -> None:
        """Refuse weights that are not there, or no numbers. RAISES (ValueError): TC083, TC084, TC252."""
        import torch

        if self.head and missing:
            raise ValueError(Errors.TC252.format(name=self.name, missing=", ".join(missing)))
        prefix = f"{module.base_model_prefix}." if with_head else ""
        lost = [name for name in missing if name.startswith(prefix) and "pooler" not in name.removeprefix(prefix)]
        if lost:
            raise ValueError(Errors.TC084.format(name=self.name, missing=_some(lost)))
        odd = [name for name, weights in module.named_parameters() if not bool(torch.isfinite(weights).all())]
        if odd:
            raise ValueError(Errors.TC083.format(name=self.name, weights=_some(odd)))

    def _check_path(self) -> None:
        """Refuse files, and folders without the file that every model has. RAISES (OSError): TC010."""
        if Path(self.name).is_file():
            detail = "this is a file."
        elif self.is_folder and not (Path(self.name) / LAST).is_file():
            detail = f"there is no {LAST} in this folder."
        else:
            return
        raise self._failure(detail)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Say with a code that a model cannot be read."""
        try:
            yield
        except BaseException as error:
            # The tokenizers in Rust raise bare Exceptions and panics, and a strange config.json anything.
            # Codes of files do not know the model's name, and torch's errors go through our count of numbers.
            of_torch = isinstance(error, RuntimeError | TypeError)
            asks = is_own(error) and not of_torch and not str(error).startswith("[TC42")
            if asks or not (isinstance(error, Exception) or is_panic(error)):
                raise
            raise self._failure(short(error, limit=300)) from error

    @property
    def is_folder(self) -> bool:
        """RETURNS (bool): Whether the name is a folder of this machine rather than a name on the Hub."""
        return Path(self.name).is_dir()


def make_pretrained_encoder_v1(name: str, revision: str | None = None, head: bool = False) -> LoaderT:
    """Describe a pretrained encoder for `[initialize.components.NAME.encoder]`.

    Tokens for private models, mirrors and offline mode are those of huggingface_hub (`hf auth login`, `HF_TOKEN`,
    `HF_HUB_OFFLINE`); no token is ever written to a config.

    name (str): A model name on the Hugging Face Hub, or a folder with a saved model.
    revision (str | None): A branch, tag or commit of the Hub's repository.
    head (bool): Whether to start from the checkpoint's own token classifier, its tags included, instead of a fresh one.
    RETURNS (Callable[[], Pretrained]): The loader.
    """
    return PretrainedEncoder(name, revision, head)


def module_from_config(config: dict[str, Any]) -> "nn.Module":
    """Build the encoder that a config describes, with weights still to be filled: what they are is left to chance.

    config (dict[str, Any]): The contents of a `config.json`.
    RETURNS (nn.Module): The module, in float32.
    RAISES (ValueError): TC031, for a size that cannot be.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    settings = {key: value for key, value in config.items() if key != "model_type"}
    model_config = AutoConfig.for_model(config["model_type"], **settings)
    for size in SIZES:
        if isinstance(value := getattr(model_config, size, 1), int) and value < 1:
            raise ValueError(Errors.TC031.format(name=size, value=value, expected="at least 1"))
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with compat.weights_undrawn():
            module = AutoModel.from_config(model_config, **_no_pooler(model_config))
        module.tie_weights()
        return module
    finally:
        torch.set_default_dtype(before)


def _load(
    folder: str, config: Any, *, with_head: bool
) -> tuple["nn.Module", list[str], list[tuple[str, list[int], list[int]]]]:
    """Load an encoder, or a token classifier. Returns it, the names of weights that the checkpoint lacks, and those of
    other shapes than its config says, with the shapes in the file and by the config."""
    import torch
    from transformers import AutoModel, AutoModelForTokenClassification

    auto = AutoModelForTokenClassification if with_head else AutoModel
    options = {} if with_head else _no_pooler(config)
    with without_bars():
        module, report = auto.from_pretrained(
            folder,
            config=config,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **ALONE,
            **{_dtype_key(): torch.float32},
            **options,
        )
    misfits = sorted((key, list(found), list(expected)) for key, found, expected in report["mismatched_keys"])
    missing = set(report["missing_keys"]) - {key for key, *_ in misfits}
    return module, sorted(missing), misfits


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Show no bar for what takes a second, as transformers does even where there is no terminal."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _no_pooler(config: Any) -> dict[str, bool]:
    """Give the option that leaves out the pooler, a layer that only classifiers of whole texts use, where it exists."""
    from transformers import MODEL_MAPPING

    classes = MODEL_MAPPING.get(type(config), None)
    made = classes[0] if isinstance(classes, tuple | list) else classes
    has_option = made is not None and "add_pooling_layer" in inspect.signature(made.__init__).parameters
    return {"add_pooling_layer": False} if has_option else {}


def _dtype_key() -> str:
    """Name the argument for the dtype: transformers renamed it in 4.56."""
    import transformers
    from packaging.version import Version

    return "dtype" if Version(transformers.__version__) >= Version("4.56") else "torch_dtype"


def _plain_config(config: Any, described: dict[str, Any]) -> dict[str, Any]:
    """Give what describes the encoder, and what an export from here has added."""
    own = {OWN_KEY: described[OWN_KEY]} if OWN_KEY in described else {}
    return {**allowed_keys(config.to_dict()), **own}


def _model_type(described: dict[str, Any], folder: str) -> str:
    """Give the type of a model; the config.json of an old one leaves it to the name of the model."""
    from transformers import AutoConfig

    if "model_type" in described:
        return str(described["model_type"])
    return str(AutoConfig.from_pretrained(folder, **ALONE).model_type)


def _tokenizer_config(tokenizer: Any, *, as_trained: bool) -> dict[str, Any]:
    """Describe a tokenizer. A byte-level one marks the first word of a text by a space only if it is told to; we always
    split words so, and with a classifier that was trained without it that is remembered for whole texts."""
    names = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "bos_token", "eos_token")
    special = {name: str(value) for name in names if (value := getattr(tokenizer, name, None)) is not None}
    limit = int(min(tokenizer.model_max_length, 1 << 30))
    plain = {
        "special_tokens": special,
        "pad_id": tokenizer.pad_token_id or 0,
        "model_max_length": limit,
        "model_input_names": list(tokenizer.model_input_names),
    }
    marks = prefix_space(tokenizer.backend_tokenizer.to_str())
    return plain if marks is None else {**plain, "add_prefix_space": marks or not as_trained}


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

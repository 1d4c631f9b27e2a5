"""Pretrained encoders: what is fetched once, at initialisation, from the Hub or a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Errors

if TYPE_CHECKING:
    from torch import nn

#: Gives a `Pretrained`; the type is loose because pydantic resolves it when a config is read.
LoaderT = Callable[[], Any]


class Pretrained(NamedTuple):
    """An encoder with its tokenizer, ready to be put behind a model.

    module (nn.Module): The encoder, in float32.
    config (Dict[str, Any]): Its `config.json`.
    tokenizer_json (str): Its `tokenizer.json`.
    tokenizer_config (Dict[str, Any]): What else a Hugging Face tokenizer of it needs to know.
    """

    module: "nn.Module"
    config: dict[str, Any]
    tokenizer_json: str
    tokenizer_config: dict[str, Any]


class PretrainedEncoder:
    """A loader of a pretrained encoder; it reads nothing until it is called."""

    def __init__(self, name: str, revision: str | None = None) -> None:
        self.name = name
        self.revision = revision

    def __call__(self) -> Pretrained:
        """Load the encoder and its tokenizer.

        RETURNS (Pretrained): The encoder.
        RAISES (OSError): TC010, if there is no such model, folder or revision, or it cannot be reached.
        RAISES (ValueError): TC011, if the model has no fast tokenizer.
        """
        import torch
        from transformers import AutoModel, AutoTokenizer

        where = {"revision": self.revision} if self.revision else {}
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.name, use_fast=True, **where)
            module = AutoModel.from_pretrained(self.name, **{_dtype_key(): torch.float32}, **where)
        except (OSError, ValueError) as error:
            detail = " ".join(str(error).split())
            raise OSError(
                Errors.TC010.format(name=self.name, revision=self.revision or "main", detail=detail)
            ) from error
        if not tokenizer.is_fast:
            raise ValueError(Errors.TC011.format(name=self.name, tokenizer=type(tokenizer).__name__))
        return Pretrained(
            module.float(),
            _plain_config(module.config),
            tokenizer.backend_tokenizer.to_str(),
            _tokenizer_config(tokenizer),
        )

    @property
    def is_folder(self) -> bool:
        """RETURNS (bool): Whether the name is a folder of this machine rather than a name on the Hub."""
        return Path(self.name).is_dir()


def make_pretrained_encoder_v1(name: str, revision: str | None = None) -> LoaderT:
    """Describe a pretrained encoder for `[initialize.components.NAME.encoder]`.

    Tokens for private models, mirrors and offline mode are those of huggingface_hub (`hf auth login`, `HF_TOKEN`,
    `HF_HUB_OFFLINE`); no token is ever written to a config.

    name (str): A model name on the Hugging Face Hub, or a folder with a saved model.
    revision (Optional[str]): A branch, tag or commit of the Hub's repository.
    RETURNS (Callable[[], Pretrained]): The loader.
    """
    return PretrainedEncoder(name, revision)


def module_from_config(config: dict[str, Any]) -> "nn.Module":
    """Build the encoder that a config describes, with weights still to be filled.

    config (Dict[str, Any]): The contents of a `config.json`.
    RETURNS (nn.Module): The module, in float32.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    settings = {key: value for key, value in config.items() if key != "model_type"}
    model_config = AutoConfig.for_model(config["model_type"], **settings)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        return AutoModel.from_config(model_config)
    finally:
        torch.set_default_dtype(before)


def _dtype_key() -> str:
    """Name the argument for the dtype: transformers renamed it in 4.56."""
    import transformers
    from packaging.version import Version

    return "dtype" if Version(transformers.__version__) >= Version("4.56") else "torch_dtype"


def _plain_config(config: Any) -> dict[str, Any]:
    plain: dict[str, Any] = config.to_dict()
    for local in ("_name_or_path", "torch_dtype", "dtype", "transformers_version"):
        plain.pop(local, None)
    return plain


def _tokenizer_config(tokenizer: Any) -> dict[str, Any]:
    names = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "bos_token", "eos_token")
    special = {name: str(value) for name in names if (value := getattr(tokenizer, name, None)) is not None}
    limit = int(min(tokenizer.model_max_length, 1 << 30))
    return {
        "special_tokens": special,
        "pad_id": tokenizer.pad_token_id or 0,
        "model_max_length": limit,
        "model_input_names": list(tokenizer.model_input_names),
    }

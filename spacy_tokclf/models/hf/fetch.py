"""A model of the Hugging Face Hub as a folder of the cache, whole: transformers itself goes on without a file of the
tokenizer that it could not fetch, and the encoder would be another one without a word said."""

from pathlib import Path

from .hub_failures import hub_failures

#: Files of a model in its repository. Others, such as weights for other libraries and data, are not fetched.
TEXTS = ("*.json", "*.txt", "*.model", "*.codes")
SAFE = ("model.safetensors", "model-*.safetensors")
PICKLED = ("pytorch_model.bin", "pytorch_model-*.bin")
#: Fetched last: a folder with it has all the rest, so that one that was left half fetched is not taken for a model.
LAST = "config.json"


def fetch_model(name: str, revision: str | None = None) -> Path:
    """Fetch a model of the Hub into the cache of huggingface_hub, or find it there: only what is new is fetched, and
    nothing in offline mode. All files are of one commit.

    name (str): A name on the Hub.
    revision (str | None): A branch, tag or commit.
    RETURNS (Path): The folder.
    RAISES (OSError): TC010, TC280, TC281, TC283 to TC285, TC282 for a token that is refused.
    """
    from huggingface_hub import snapshot_download

    with hub_failures("load", name, revision=revision):
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=[*TEXTS, *SAFE], ignore_patterns=_NOT))
        commit = folder.name
        if not any(folder.glob("*.safetensors")):
            snapshot_download(name, revision=commit, allow_patterns=list(PICKLED))
        snapshot_download(name, revision=commit, allow_patterns=[LAST])
        if not (folder / LAST).is_file():
            raise FileNotFoundError(f"There is no {LAST} in {name}.")
    return folder


_NOT = [LAST, "*/*"]

"""Run by the tests in a process of its own: somebody for whom HF_ENDPOINT is the fake Hub. Takes a job a line from the
standard input and answers each by a line; a job runs in a fork, so that what it changes is gone afterwards."""

import io
import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import spacy
import torch
from huggingface_hub import constants, hf_api
from transformers import AutoModelForTokenClassification, AutoTokenizer, DistilBertForTokenClassification  # noqa: F401
from typer.testing import CliRunner

import spacy_tokclf.hub.tree as tree
from spacy_tokclf.cli import app
from spacy_tokclf.hub.upload import upload
from spacy_tokclf.models.hf.pretrained import make_pretrained_encoder_v1

torch.set_num_threads(1)


def load(name: str, **settings: Any) -> dict[str, Any]:
    """Load an encoder, and say enough of it to compare."""
    made = make_pretrained_encoder_v1(name, **settings)()
    total = sum(float(value.double().sum()) for value in made.module.state_dict().values())
    tags = made.head.tags if made.head else None
    return {"sum": total, "tokenizer": made.tokenizer_config, "tags": tags}


def command(*args: str, wheel: str | None = None) -> dict[str, Any]:
    """Run a command of `spacy tokclf`, with a wheel that was built before, if one is given."""
    if wheel is not None:
        tree.build_wheel = lambda pipeline, out, **settings: Path(shutil.copy(wheel, out.parent))  # type: ignore
    done = CliRunner().invoke(app, list(args))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return {"code": done.exit_code, "output": done.output}


def upload_tree(folder: str, repo: str, **settings: Any) -> dict[str, Any]:
    """Upload a folder."""
    return {"url": upload(Path(folder), repo, **settings)}


def fill_disk() -> None:
    """Let the disk be full for what is fetched: Linux has a device that always is."""
    opened = io.open

    def open_full(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        full = str(file).endswith(".incomplete") and mode != "r"
        return opened("/dev/full" if full else file, mode, *args, **kwargs)

    io.open = open_full  # type: ignore


JOBS = {"load": load, "command": command, "upload": upload_tree}


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job under its settings."""
    time.sleep = lambda seconds: None  # nobody waits before trying again
    os.environ.pop("HF_TOKEN", None)
    if job["token"]:
        os.environ["HF_TOKEN"] = job["token"]
    constants.HF_HUB_CACHE = job["cache"]
    constants.HF_HUB_OFFLINE = job["offline"]
    if job["unplugged"]:
        constants.ENDPOINT = hf_api.ENDPOINT = "http://127.0.0.1:1"  # the second is for old versions
    if job["disk_full"]:
        fill_disk()
    spacy.util.fix_random_seed(0)
    try:
        return JOBS[job["do"]](*job["args"], **job["settings"])
    except Exception as error:  # noqa: BLE001
        return {"error": str(error), "type": type(error).__name__, "traceback": traceback.format_exc()}


def main() -> None:
    """Serve."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answers.write(json.dumps(run(json.loads(line))) + "\n")
            answers.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()

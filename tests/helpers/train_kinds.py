"""Train small pipelines of several kinds and save them: `python train_kinds.py ENCODER OUT THREADS`, for comparisons
from process to process."""

import sys
from pathlib import Path
from typing import Any

import torch
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config

from spacy_tokclf.corpus import read_conll, write_docbin

ROOT = Path(__file__).parents[2]
#: Name of a pipeline: its encoder is shared, it has a conditional random field, its precision.
KINDS = {
    "default": (False, False, "fp32"),
    "default-bf16": (False, False, "bf16"),
    "shared": (True, False, "fp32"),
    "crf-bf16": (False, True, "bf16"),
}


def make_config(encoder: str, data: Path, *, shared: bool, crf: bool, precision: str) -> Config:
    """Give the config of a training of the recipe on the sample corpus, cut short: steps, evaluations, averages."""
    name = "wnut17_shared.cfg" if shared else "wnut17.cfg"
    config = Config().from_disk(ROOT / "configs" / name, interpolate=False)
    config["paths"].update(train=str(data / "train.spacy"), dev=str(data / "dev.spacy"), encoder=encoder)
    config["training"].update(max_steps=4, eval_frequency=2)
    config["training"]["optimizer"]["use_averages"] = True
    config["training"]["optimizer"]["learn_rate"]["warmup_steps"] = 1
    owner: Any = config["components"]["transformer" if shared else "ner"]
    (owner["model"] if shared else owner["model"]["tok2vec"])["precision"] = precision
    config["components"]["ner"]["model"]["crf"] = crf
    return config


def main(encoder: str, out: str, threads: str) -> None:
    """Write the data, train and save each kind."""
    torch.set_num_threads(int(threads))
    data = Path(out) / "data"
    data.mkdir(parents=True)
    for split in ("train", "dev"):
        write_docbin(read_conll(ROOT / "sample" / f"{split}.conll"), data / f"{split}.spacy")
    for kind, (shared, crf, precision) in KINDS.items():
        nlp = init_nlp(make_config(encoder, data, shared=shared, crf=crf, precision=precision))
        folder = Path(out) / kind
        folder.mkdir()
        train(nlp, folder, stdout=sys.stderr, stderr=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])

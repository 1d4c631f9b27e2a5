"""What computes an encoder: device, precision, libraries and threads, for logs and run records. Scores and times depend
on it; a saved pipeline never holds it.
"""

import argparse
from typing import Any

import torch
from spacy import util
from thinc.api import Config

from spacy_tokclf.runtime.device import current_device, named_device
from spacy_tokclf.runtime.products import describe_products

ENCODER = "spacy-tokclf.TransformerEncoder.v1"


def encoder_sections(settings: dict[str, Any]) -> list[tuple[str, ...]]:
    """Find every encoder of ours in a config.

    settings (dict[str, Any]): The config.
    RETURNS (list[tuple[str, ...]]): The keys that lead to each.
    """
    return [path[:-1] for path, value in util.walk_dict(settings) if path[-1][0] == "@" and value == ENCODER]


def add_device_options(parser: argparse.ArgumentParser) -> None:
    """Give a script the options that say where an encoder runs.

    parser (argparse.ArgumentParser): Its command line.
    """
    parser.add_argument("--device", default="", help="device of the encoder, such as cuda:0; empty: none is named")
    parser.add_argument("--gpu-id", type=int, default=-1, help="GPU for all of spaCy, which needs CuPy; -1: none")


def asked_device(gpu_id: int = -1) -> torch.device:
    """Say where a command computes.

    gpu_id (int): The GPU asked for, -1 for none. A device that is named has the last word, as everywhere.
    RETURNS (torch.device): The device.
    """
    return named_device() or (torch.device("cuda", gpu_id) if gpu_id >= 0 else current_device())


def describe_compute(config: Config, *, gpu_id: int = -1, precision: str = "") -> dict[str, Any]:
    """Describe what computes the first encoder of a config on this machine.

    config (Config): The training config, or that of a saved pipeline.
    gpu_id (int): As for `asked_device`.
    precision (str): The precision asked for; empty: as the config says.
    RETURNS (dict[str, Any]): "threads" (of torch) and "device"; with an encoder of ours also the rest of what
        `describe_products` gives: the precision that is computed in, the maker of the CPU, the library for fp32.
    """
    device = asked_device(gpu_id)
    found = {"threads": torch.get_num_threads(), "device": str(device)}
    for keys in encoder_sections(config)[:1]:
        section: Any = config
        for key in keys:
            section = section[key]
        found |= describe_products(precision or section.get("precision", "auto"), device)
    return found

"""Load folders that were damaged: of five kinds of pipelines, and of a checkpoint to import.

Each file is cut off, emptied, changed in a bit, swapped with another, deleted, replaced by a folder, a pipe, a device
or a link out of its folder, or written anew with what nobody expects. Each folder is loaded in a process of its own
that may take 1 GiB and 5 seconds, with the checks of manifests and without. Loading has to end in an error with a code,
in one of spaCy's own about a file that is spaCy's, or in the very predictions that the undamaged folder gives. A weight
that is another finite number after one bit was flipped is only noticed with manifests; such folders are counted apart.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import struct
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

FINDING = "FINDING"
SECONDS, BYTES = 5.0, 1 << 30
CHECK_FILES = "SPACY_TOKCLF_CHECK_FILES"
#: What spaCy itself writes and reads.
SPACYS = ("config.cfg", "meta.json", "tokenizer", "vocab", "spacys_ner")
LABELS = ["person", "location"]
TEXTS = ["just met Zorblax in Quorn Falls lol", "the London tweet is over", "praat over links " * 30, "a"]
DEEP = 100_000
JSONS = (
    "",
    "null",
    "[]",
    "{}",
    "[" * DEEP,
    "[" * DEEP + "]" * DEEP,
    '{"a": NaN}',
    '{"a": 1' + "0" * 9999 + "}",
    '{"a": "\\ud800"}',
    '{"a": 1, "a": 2}',
)
VALUES: tuple[Any, ...] = (
    None,
    -1,
    0,
    10**9,
    10**30,
    1.5,
    True,
    "x",
    "someone/kernels",
    [],
    {},
    ["a"],
    {"a": 1},
    [None],
)
CONFIG_KEYS: dict[str, Any] = {
    "_attn_implementation": "someone/kernel",
    "attn_implementation": "someone/kernel",
    "auto_map": {"AutoModel": "someone/code--model.Model"},
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "_name_or_path": "someone/model",
    "torch_dtype": "__class__",
    "dim": 10**9,
    "n_layers": 10**9,
    "hidden_dim": 10**9,
    "vocab_size": 10**12,
    "max_position_embeddings": 10**9,
    "num_labels": 10**9,
    "per_layer_config": {"0": {"dim": 10**9}},
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this kind of torture."""
    parser.add_argument("--kinds", default="", help="Kinds of folders, with commas between; all by default")


def run(options: argparse.Namespace) -> Counter[str]:
    """Damage and load folders. RETURNS (Counter[str]): How many of them ended how."""
    asked = [name for name in options.kinds.split(",") if name]
    with tempfile.TemporaryDirectory() as place:
        folders = make_folders(Path(place) / "whole", asked)
        return torture(folders, Path(place), times=options.times, seed=options.seed)


def torture(folders: dict[str, Path], place: Path, *, times: int, seed: int) -> Counter[str]:
    """Damage and load.

    folders (dict[str, Path]): Folders that load, by their kind.
    place (Path): Where there is room.
    times (int): How often.
    seed (int): Of all that is random.
    RETURNS (Counter[str]): How many folders ended how.
    """
    rng, outcomes = random.Random(seed), Counter[str]()
    warnings.simplefilter("ignore")
    expected = {name: load(name, folder) for name, folder in folders.items()}
    for name, folder in folders.items():
        outcome = loaded(name, folder, expected[name], "nothing", Path("nothing"))
        if outcome != "the same predictions":
            raise RuntimeError(f"{name}, undamaged: {outcome}")
    for _ in range(times):
        name = rng.choice(sorted(folders))
        copy = place / "damaged"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folders[name], copy)
        os.environ[CHECK_FILES] = rng.choice("01")
        what, file = damage(copy, rng)
        outcome = loaded(name, copy, expected[name], what, file)
        if outcome.startswith(FINDING):
            print(f"{name}, {what}, {file}, {CHECK_FILES}={os.environ[CHECK_FILES]}: {outcome}", flush=True)
        outcomes[outcome.split(":")[0]] += 1
    return outcomes


def load(name: str, folder: Path) -> Any:
    """Load a folder, and predict. RETURNS (Any): What is predicted, with all digits."""
    from spacy_tokclf.pipeline.load import load_pipeline

    if name == "checkpoint":
        from spacy_tokclf.export import import_hf

        nlp = import_hf(folder)
    else:
        nlp = load_pipeline(folder)
    docs = list(nlp.pipe(TEXTS))
    pipes: list[Any] = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "logits")]
    rows = [[row.tobytes() for row in pipe.logits(docs)] for pipe in pipes]
    return rows, [[(e.start, e.end, e.label_) for e in doc.ents] for doc in docs]


def loaded(name: str, folder: Path, expected: Any, what: str, file: Path) -> str:
    """Load a folder in a process of its own. RETURNS (str): The outcome."""
    reading, writing = os.pipe()
    before = _resident(os.getpid())
    child = os.fork()
    if not child:
        os.close(reading)
        _limit()
        outcome = _try(name, folder, expected, what, file)
        with os.fdopen(writing, "w") as pipe:
            pipe.write(outcome)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        end = time.monotonic() + 2 * SECONDS
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            grown = _resident(child) - before
            if time.monotonic() > end or grown > BYTES:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return f"{FINDING} takes more than 1 GiB" if grown > BYTES else f"{FINDING} hangs"
            time.sleep(0.005)
        return pipe.read() or f"{FINDING} breaks down"


def _resident(process: int) -> int:
    """RETURNS (int): Bytes of memory that a process has; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _limit() -> None:
    """Let this process have 5 seconds of the processor, and no terminal."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS) + 1))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def _try(name: str, folder: Path, expected: Any, what: str, file: Path) -> str:
    is_spacys = name != "checkpoint" and file.parts[0] in SPACYS
    try:
        found = load(name, folder)
    except MemoryError:
        return f"{FINDING} takes more than 1 GiB"
    except BaseException as error:  # noqa: BLE001 (libraries in Rust panic with errors that are no Exception)
        text = str(error)
        if text.startswith("[TC"):
            return f"refused with a code: {text}"
        if is_spacys:
            return "refused by spaCy"
        return f"{FINDING} traceback: {traceback.format_exc()[-600:]}"
    if found == expected:
        return "the same predictions"
    if is_spacys:
        return "spaCy read another file of its own"
    has_checksums = os.environ[CHECK_FILES] != "0" and name != "checkpoint"
    if what == "flipped" and not has_checksums:
        return "another finite weight, or letter, without checksums"
    if what == "valued" and not has_checksums:
        return "another value that can be, without checksums"
    return f"{FINDING} other predictions"


def damage(folder: Path, rng: random.Random) -> tuple[str, Path]:
    """Damage one file. RETURNS (tuple[str, Path]): How, and which."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    own = [path for path in files if path.relative_to(folder).parts[0] not in SPACYS]
    path = rng.choice(own if rng.random() < 0.9 else files)
    what = rng.choice([*DAMAGES, "hostile", "hostile", "hostile"])
    if what == "hostile":
        what = hostile(path, rng)
    else:
        DAMAGES[what](path, rng, rng.choice([other for other in own if other != path]))
    if rng.random() < 0.5:  # without a manifest nothing is known of what was saved
        for manifest in folder.rglob("manifest.json"):
            manifest.unlink()
        os.environ[CHECK_FILES] = "0"
    return what, path.relative_to(folder)


def _flip(path: Path, rng: random.Random, other: Path) -> None:
    data = bytearray(path.read_bytes())
    if data:
        size = len(data) if path.suffix != ".safetensors" or rng.random() < 0.5 else 2000
        data[rng.randrange(min(size, len(data)))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def _cut(path: Path, rng: random.Random, other: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(max(1, len(data)))])


def _swap(path: Path, rng: random.Random, other: Path) -> None:
    one, two = path.read_bytes(), other.read_bytes()
    path.write_bytes(two)
    other.write_bytes(one)


def _replace(make: Callable[[Path], Any]) -> Callable[[Path, random.Random, Path], None]:
    def replacing(path: Path, rng: random.Random, other: Path) -> None:
        path.unlink()
        make(path)

    return replacing


def _link_out(path: Path) -> None:
    outside = Path(tempfile.gettempdir()) / "outside-of-the-folder"
    outside.write_bytes(b"{}")
    path.symlink_to(outside)


DAMAGES: dict[str, Callable[[Path, random.Random, Path], None]] = {
    "flipped": _flip,
    "cut": _cut,
    "swapped": _swap,
    "emptied": lambda path, rng, other: path.write_bytes(b"") and None,
    "deleted": lambda path, rng, other: path.unlink(),
    "a folder": _replace(Path.mkdir),
    "a pipe": _replace(os.mkfifo),
    "a link out": _replace(_link_out),
    "a device": _replace(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": _replace(lambda path: path.symlink_to(path)),
}


def hostile(path: Path, rng: random.Random) -> str:
    """Write a file anew, as its form allows and nobody expects. RETURNS (str): What was done."""
    if path.suffix == ".safetensors":
        return _hostile_weights(path, rng)
    if path.name == "model":
        return _hostile_layers(path, rng)
    if path.suffix == ".json" or path.name == "cfg":
        return _hostile_json(path, rng)
    path.write_bytes(os.urandom(1000))
    return "noise"


def _hostile_json(path: Path, rng: random.Random) -> str:
    if rng.random() < 0.3:
        path.write_text(rng.choice(JSONS))
        return "odd JSON"
    value = json.loads(path.read_text("utf-8"))
    if path.name == "config.json" and rng.random() < 0.6:
        key = rng.choice(sorted(CONFIG_KEYS))
        path.write_text(json.dumps({**value, key: CONFIG_KEYS[key]}))
        return "valued"
    inner = value
    while isinstance(inner, dict) and inner:
        key = rng.choice(sorted(inner))
        if isinstance(inner[key], dict) and inner[key] and rng.random() < 0.8:
            inner = inner[key]
            continue
        inner[key] = rng.choice(VALUES)
        break
    path.write_text(json.dumps(value))
    return "valued"


def _hostile_weights(path: Path, rng: random.Random) -> str:
    import torch
    from safetensors.torch import load_file, save_file

    kind = rng.choice(["header", "nan", "inf", "integers", "shape", "gone", "more"])
    if kind == "header":
        path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
        return kind
    weights = load_file(path)
    name = rng.choice(sorted(weights))
    tensor = weights.pop(name)
    others = {
        "nan": torch.full_like(tensor, float("nan")),
        "inf": torch.full_like(tensor, float("inf")),
        "integers": tensor.to(torch.int64),
        "shape": tensor.flatten()[:5].clone(),
        "more": tensor,
    }
    if kind != "gone":
        weights[name] = others[kind]
    if kind == "more":
        weights["another"] = tensor.clone()
    save_file(weights, path, metadata={"format": "pt"})
    return kind


def _hostile_layers(path: Path, rng: random.Random) -> str:
    import numpy as np
    import srsly

    if rng.random() < 0.2:
        path.write_bytes(b"\xdd\xff\xff\xff\xff" if rng.random() < 0.5 else b"\x91" * 100_000)
        return "claims"
    msg = srsly.msgpack_loads(path.read_bytes())
    part = rng.choice(sorted(msg))
    index = rng.randrange(len(msg[part]))
    entry: Any = msg[part][index]
    if part == "shims":
        msg[part][index] = rng.choice([[b""], [b"\x80"], None, "x", [1]])
    elif not entry or rng.random() < 0.3:
        msg[part] = rng.choice([None, [], msg[part][1:], {}])
    else:
        key = rng.choice(sorted(entry))
        if part == "params":
            array = np.asarray(entry[key] if entry[key] is not None else [1.0], dtype="float32")
            kinds = [array * np.nan, array[:1], array.astype("int64"), array.astype("float64"), None, "x"]
            entry[key] = rng.choice([*kinds, np.array([b"x"])])
        elif part == "attrs":
            entry[key] = rng.choice([b"", srsly.msgpack_dumps(rng.choice(VALUES[:-1])), 1])
        elif isinstance(entry[key], dict) and entry[key]:
            inner = rng.choice(sorted(entry[key]))
            entry[key][inner] = rng.choice([-1, 0, 3, 10**9, "x", None])
        else:
            entry[key] = rng.choice([None, "x", 5])
    path.write_bytes(srsly.msgpack_dumps(msg))
    return "valued"


def make_folders(place: Path, asked: list[str]) -> dict[str, Path]:
    """Make whole folders: of five kinds of pipelines, and a checkpoint.

    place (Path): Where.
    asked (list[str]): Which kinds; none for all.
    RETURNS (dict[str, Path]): The folders by their kind. Without ONNX there is none of that.
    """
    from importlib.util import find_spec

    from tiny_encoders import write_encoder

    from spacy_tokclf.export import export_hf
    from spacy_tokclf.export.optimize import optimize
    from spacy_tokclf.runtime.saving import save_pipeline

    place.mkdir(parents=True)
    encoder = write_encoder(place / "encoder")
    made = {
        "default": _pipeline(encoder),
        "crf": _pipeline(encoder, crf=True),
        "two": _pipeline(encoder, names=("ner", "other")),
        "shared": _shared(encoder),
    }
    folders = {name: place / name for name in made}
    for name, folder in folders.items():
        save_pipeline(made[name], folder)
    if find_spec("onnxruntime") and find_spec("onnx"):
        optimize(folders["default"], place / "onnx", precision="int8")
        folders["onnx"] = place / "onnx"
    folders["checkpoint"] = export_hf(folders["default"], place / "checkpoint")
    return {name: folder for name, folder in folders.items() if not asked or name in asked}


def _pipeline(encoder: Path, *, names: tuple[str, ...] = ("ner",), crf: bool = False) -> Any:
    import spacy

    nlp = spacy.blank("en")
    for name in names:
        scorer = {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": f"{name}_"}
        nlp.add_pipe("token_classifier", name=name, config={"model": {"crf": crf}, "scorer": scorer})
        loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder)}
        nlp.config["initialize"]["components"][name] = {"encoder": loader, "labels": LABELS}
    spacy.util.fix_random_seed(0)
    nlp.initialize()
    return nlp


def _shared(encoder: Path) -> Any:
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("transformer_encoder", name="transformer")
    listener = {"@architectures": "spacy-tokclf.EncoderListener.v1", "upstream": "transformer"}
    nlp.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": listener}})
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder)}
    nlp.config["initialize"]["components"]["transformer"] = {"encoder": loader}
    nlp.config["initialize"]["components"]["ner"] = {"labels": LABELS}
    spacy.util.fix_random_seed(0)
    nlp.initialize()
    return nlp

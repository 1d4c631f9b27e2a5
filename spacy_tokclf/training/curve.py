"""Train on growing parts of the data, to see whether more of them would help."""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spacy.tokens import Doc
from spacy.training.initialize import resolve_dot_names
from spacy.util import load_model_from_config
from thinc.api import Config

from ..corpus.digest import digest_texts
from ..corpus.part import choose_texts, text_key
from ..errors import Errors
from ..metrics.learning_curve import CURVE_NAME, PartRun, read_curve
from ..runtime.files import whole_file
from ..runtime.progress import progress
from ..runtime.workplace import workplace
from .config import explained, read_training_config
from .log import LOG_NAME, best_row, read_rows
from .part_config import part_config, without_augmenter
from .run import train_pipeline

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
#: Keys of the entity F1 in a log, in percent, the first that is there.
_F1 = ("ents_f", "seqeval_f1")


def train_on_parts(
    config_path: str | Path,
    out: str | Path,
    *,
    shares: Sequence[float] = SHARES,
    seeds: int = 3,
    overrides: dict[str, Any] | None = None,
    gpu_id: int = -1,
    show: Callable[[PartRun], None] | None = None,
) -> list[PartRun]:
    """Train once with each share of the training data and each seed, and keep what each gave on the development data
    in `curve.json`; the pipelines are not kept. Trainings that are in the file are not run again.

    config_path (str | Path): The config.
    out (str | Path): The folder of the file.
    shares (Sequence[float]): The shares, above 0 and up to 1.
    seeds (int): How many seeds there are, from 0. Each chooses other texts; a larger part has the smaller ones in it.
    overrides (dict[str, Any] | None): Values to set in the config, by "section.key".
    gpu_id (int): The GPU, or -1 for the CPU.
    show (Callable[[PartRun], None] | None): What to do with each training once it is done, those of before among them.
    RETURNS (list[PartRun]): The trainings that were asked for.
    RAISES (ValueError): TC381, for another share; TC382, if the folder has trainings of another config or of other
        data; TC383, if a part has no entity; TC384, if the file is something else; TC385 or TC394, if the
        training data are streamed or have no reader of their own; as `train_pipeline`.
    """
    for share in shares:
        if not 0 < share <= 1:
            raise ValueError(Errors.TC381.format(share=share))
    config = read_training_config(config_path, overrides or {})
    with explained(config_path):
        train, dev = _read_data(config)
    path = Path(out) / CURVE_NAME
    made_of = {
        "config": hashlib.sha256(config.to_str(interpolate=False).encode("utf-8")).hexdigest(),
        "train": digest_texts(train, gold=True),
        "dev": digest_texts(dev, gold=True),
    }
    done = _read_done(path, made_of)
    wanted = [(share, seed) for share in sorted(set(shares)) for seed in range(seeds)]
    sizes = {each: _size(train, *each) for each in wanted if each not in done}
    warned: set[str] = set()
    for each in progress(wanted, label="Training on parts", unit="trainings"):
        if each not in done:
            with _warning_once(warned):
                done[each] = _train(config, Path(out), *each, *sizes[each], gpu_id=gpu_id)
            _write(path, made_of, done.values())
        if show is not None:
            show(done[each])
    return [done[each] for each in wanted]


def _read_data(config: Config) -> tuple[list[Doc], list[Doc]]:
    """Read the gold of training and development data, without copies that an augmenter would make."""
    plain = without_augmenter(config)
    nlp = load_model_from_config(plain, auto_fill=True)
    whole: Any = nlp.config.interpolate()
    names = [whole["training"][name] for name in ("train_corpus", "dev_corpus")]
    train, dev = ([eg.reference for eg in corpus(nlp)] for corpus in resolve_dot_names(whole, names))
    return train, dev


def _read_done(path: Path, made_of: dict[str, str]) -> dict[tuple[float, int], PartRun]:
    """Read what was trained before. RAISES (ValueError): TC382; TC384."""
    if not path.exists():
        return {}
    found = read_curve(path)
    names = {"config": "config", "train": "training data", "dev": "development data"}
    changed = [names[key] for key, value in made_of.items() if found["made_of"].get(key) != value]
    if changed:
        raise ValueError(Errors.TC382.format(path=path, changed=" and ".join(changed)))
    return {(run.share, run.seed): run for run in found["runs"]}


def _size(train: Sequence[Doc], share: float, seed: int) -> tuple[int, int]:
    """Count texts and entities of a part. RAISES (ValueError): TC383, if it has no entity."""
    chosen = choose_texts(train, share, seed)
    part = [doc for doc in train if text_key(doc) in chosen]
    entities = sum(len(doc.ents) for doc in part) or sum(len(group) for doc in part for group in doc.spans.values())
    if not entities:
        raise ValueError(Errors.TC383.format(share=100 * share, texts=len(part), total=len(train), seed=seed))
    return len(part), entities


def _train(config: Config, out: Path, share: float, seed: int, texts: int, entities: int, *, gpu_id: int) -> PartRun:
    """Train on a part, in a folder that goes with its pipelines."""
    out.mkdir(parents=True, exist_ok=True)
    with workplace(out) as temporary:
        path = temporary / "config.cfg"
        part_config(config, share=share, seed=seed).to_disk(path, interpolate=False)
        folder = temporary / "trained"
        train_pipeline(path, folder, gpu_id=gpu_id, silent=True)
        rows = read_rows(folder / LOG_NAME)
    best = best_row(rows)
    percent = next((best["scores"][key] for key in _F1 if key in best["scores"]), 100 * best["score"])
    return PartRun(share, seed, texts, entities, percent / 100, rows[-1]["step"])


@contextmanager
def _warning_once(given: set[str]) -> Iterator[None]:
    """Give a warning of each code once, of all trainings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        code = str(one.message)[: len("[TW000]")]
        if code not in given:
            given.add(code)
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _write(path: Path, made_of: dict[str, str], runs: Iterable[PartRun]) -> None:
    """Write the file."""
    rows = [run._asdict() for run in sorted(runs)]
    with whole_file(path) as made:
        made.write_text(json.dumps({"made_of": made_of, "runs": rows}, indent=1) + "\n", encoding="utf-8")

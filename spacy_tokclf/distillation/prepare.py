"""Prepare the training of a student: who is asked about which text, what was said, kept on disk, and the config."""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import resolve_dot_names
from spacy.util import dot_to_object, load_model_from_config, registry
from thinc.api import Config

from ..annotation.inputs import read_items
from ..annotation.items import make_doc
from ..corpus.distilled_reader import DISTILLED, read_gold
from ..corpus.folds import letters
from ..corpus.options import ReadOptions
from ..corpus.soft_store import FACTS, SoftStore, read_store, text_hash, write_store
from ..corpus.soft_targets import check_mixture
from ..errors import Errors, Warnings
from ..metrics.gold_groups import gold_entities, gold_types
from ..models.classifier import transitions_of
from ..pipeline.token_classifier import TokenClassifier, find_component
from ..runtime.files import whole_file
from ..training.config import explained, read_training_config
from ..training.part_config import reader_of, training_of, with_data
from .made_texts import make_texts
from .teachers import Teacher, ask_teachers, read_teacher

#: What lies in the folder of a student's training.
STORE, CONFIG = "distilled", "student.cfg"


@dataclass(frozen=True)
class Lesson:
    """What a student learns from, beside the gold of its config.

    texts (Sequence[str]): Where texts without gold are: what `annotate` reads.
    options (ReadOptions): How these are read.
    text_column (int | str | None): The column of a table that has the texts.
    made (int): How many texts are made from each training text.
    unseen (bool): Whether no teacher was trained on any gold text.
    component (str | None): The component of the teachers, if they have several.
    temperature, gold_share (float): As for the reader `spacy-tokclf.Distilled.v1`.
    """

    texts: Sequence[str] = ()
    options: ReadOptions = field(default_factory=ReadOptions)
    text_column: int | str | None = None
    made: int = 0
    unseen: bool = False
    component: str | None = None
    temperature: float = 2.0
    gold_share: float = 0.5


class Prepared(NamedTuple):
    """A training that is prepared.

    config (Path): Its config.
    taught, gold, others (int): How many gold texts a teacher says something of, how many there are, and how many texts
        without gold.
    asked (bool): Whether the teachers ran, or what they had said was there.
    """

    config: Path
    taught: int
    gold: int
    others: int
    asked: bool


class _Plan(NamedTuple):
    """Who is asked about which text: texts by their keys, with the numbers of the teachers; which of them are gold, and
    which have none; and the entity types of the gold."""

    asked: dict[bytes, tuple[Doc, frozenset[int]]]
    gold: list[bytes]
    others: list[bytes]
    types: list[str]

    def add(self, doc: Doc, who: frozenset[int], keys: list[bytes]) -> None:
        """Ask teachers about a text; if it is there twice, those that may be asked both times."""
        key = text_hash(doc)
        if key in self.asked:
            who &= self.asked[key][1]
        else:
            keys.append(key)
        self.asked[key] = (doc, who)


def prepare_student(
    teachers: Sequence[str],
    config_path: str | Path,
    out: str | Path,
    lesson: Lesson,
    *,
    overrides: dict[str, Any] | None = None,
    epochs: float | None = None,
    overwrite: bool = False,
) -> Prepared:
    """Let teachers say what they think of the tokens of all texts, keep that in a folder, and write the config of a
    student that learns from it. Of a gold text, only teachers that were trained without its fold are asked
    (cross-fitting). What is in the folder already, from the same teachers on the same texts, is taken as it is.

    teachers (Sequence[str]): Pipelines with a token classifier.
    config_path (str | Path): The config of the student, with its training data.
    out (str | Path): The folder of the training: what was said is put into `distilled` in it, and the config beside.
    lesson (Lesson): What it learns from.
    overrides (dict[str, Any] | None): Values to set in the config, by "section.key".
    epochs (float | None): The length of training in epochs; None for what the config says.
    overwrite (bool): Whether what other teachers said, or of other texts, is replaced.
    RETURNS (Prepared): The config, and what there is to learn from.
    RAISES (ValueError): TC031, for a temperature or a share out of range; TC119, for a negative number of texts; TC255,
        without one token classifier; TC550 to TC561, for what does not fit; as `train_pipeline` for the config, as
        `read_items` for the texts, and as `load_pipeline` for the teachers.
    """
    check_mixture(lesson.temperature, lesson.gold_share)
    if lesson.made < 0:
        raise ValueError(Errors.TC119.format(name="made", value=lesson.made, least=0))
    known = [read_teacher(model) for model in teachers]
    store_path, path = Path(out) / STORE, Path(out) / CONFIG
    config = read_training_config(config_path, overrides or {}, epochs=epochs)
    student = _student_config(config, config_path, store_path, lesson)
    with explained(config_path):
        nlp = load_model_from_config(student, auto_fill=True)
        pipe = find_component(nlp, None)
        if transitions_of(pipe.model) is not None:
            raise ValueError(Errors.TC557.format(name=pipe.name))
        plan = _make_plan(nlp, pipe, known, lesson)
    made_of = _made_of(known, plan)
    store = _read_kept(store_path, made_of, overwrite=overwrite)
    is_new = store is None
    if store is None:
        said = ask_teachers(known, plan.asked, types=plan.types, component=lesson.component)
        store = SoftStore(said.scheme, said.tags, made_of, said.log_probs)
        write_store(store_path, store, (plan.asked[key][0] for key in plan.others))
    _use_labels(student, pipe.name, store)
    with whole_file(path) as made:
        student.to_disk(made, interpolate=False)
    taught = sum(bool(plan.asked[key][1]) for key in plan.gold)
    return Prepared(path, taught, len(plan.gold), len(plan.others), is_new)


def _student_config(config: Config, config_path: str | Path, store: Path, lesson: Lesson) -> Config:
    """Put the reader of the training data into ours. RAISES (ValueError): TC394; TC560, if it is in it already."""
    made = with_data(config)
    where = training_of(made)["train_corpus"]
    block = reader_of(made, where)
    if block["@readers"] == DISTILLED:
        raise ValueError(Errors.TC560.format(path=config_path))
    above, _, name = where.rpartition(".")
    filled: Any = made.interpolate()
    is_empty = reader_of(filled, where).get("path", "") is None
    reader = None if is_empty else {key: value for key, value in block.items() if key != "augmenter"}
    made["paths"]["distilled"] = str(store)
    dot_to_object(made, above)[name] = {
        "@readers": DISTILLED,
        "path": "${paths.distilled}",
        "corpus": reader,
        "augmenter": None if is_empty else block.get("augmenter"),
        "temperature": lesson.temperature,
        "gold_share": lesson.gold_share,
        "seed": 0,
    }
    return made


def _use_labels(student: Config, name: str, store: SoftStore) -> None:
    """Give a fresh student the labels of its teachers, if its config gives none."""
    if "source" in student["components"].get(name, {}):
        return
    block = student.setdefault("initialize", {}).setdefault("components", {}).setdefault(name, {})
    if block.get("labels") is None:
        block["labels"] = {"scheme": store.scheme, "tags": list(store.tags)}


def _make_plan(nlp: Language, pipe: TokenClassifier, teachers: Sequence[Teacher], lesson: Lesson) -> _Plan:
    """Read all texts, and decide who is asked about each. RAISES (ValueError): TC556, if nobody is about any."""
    everybody = frozenset(range(len(teachers)))

    def unseen(text: str) -> frozenset[int]:
        fresh = frozenset(i for i, each in enumerate(teachers) if each.has_not_seen(text))
        return everybody if lesson.unseen else fresh

    gold = _read_gold_of(nlp)
    plan = _Plan({}, [], [], gold_types([eg for eg, _ in gold], **pipe.gold_at))
    for eg, own in gold:
        if len(eg.predicted):
            has_gold = not gold_entities(eg.reference, **pipe.gold_at).missing.all()
            plan.add(eg.predicted, unseen(own) if has_gold else everybody, plan.gold)
    originals = {own: eg.reference for eg, own in reversed(gold)}
    dev = _read_dev(nlp) if lesson.texts or lesson.made else set()
    for own, doc in _make_texts(originals, pipe, lesson.made):
        new = letters(doc)
        if text_hash(doc) not in plan.asked and new not in dev and (new == own or new not in originals):
            plan.add(doc, unseen(own) or everybody, plan.others)
    for doc in _read_free(nlp, lesson, set(originals), dev):
        plan.add(doc, everybody, plan.others)
    _say_untaught(plan)
    return plan


def _say_untaught(plan: _Plan) -> None:
    """Warn (TW550) of gold texts that nobody may be asked about. RAISES (ValueError): TC556, if that is all."""
    untaught = sum(not who for _, who in plan.asked.values())
    if untaught == len(plan.asked):
        detail = "the teachers were trained on all gold texts" if untaught else "there are no texts"
        raise ValueError(Errors.TC556.format(detail=detail))
    if untaught:
        warnings.warn(Warnings.TW550.format(count=untaught, total=len(plan.gold)), stacklevel=4)


def _read_gold_of(nlp: Language) -> list[tuple[Example, str]]:
    """Read the gold texts of a student, with copies that an augmenter makes."""
    config: Any = nlp.config.interpolate()
    block = reader_of(config, config["training"]["train_corpus"])
    parts = registry.resolve({name: block[name] for name in ("corpus", "augmenter") if block.get(name)})
    return read_gold(nlp, parts.get("corpus"), parts.get("augmenter"), block["seed"])


def _read_dev(nlp: Language) -> set[str]:
    """RETURNS (set[str]): The letters of the texts of the development data, which nothing is learned from."""
    config: Any = nlp.config.interpolate()
    (corpus,) = resolve_dot_names(config, [config["training"]["dev_corpus"]])
    return {letters(eg.reference) for eg in corpus(nlp)}


def _make_texts(originals: dict[str, Doc], pipe: TokenClassifier, number: int) -> Iterator[tuple[str, Doc]]:
    """YIELDS (tuple[str, Doc]): Made texts, after the letters of the text that each was made from."""
    docs, names = list(originals.values()), list(originals)
    spans = [gold_entities(doc, **pipe.gold_at).spans for doc in docs]
    return ((names[index], doc) for index, doc in make_texts(docs, spans, number))


def _read_free(nlp: Language, lesson: Lesson, gold: set[str], dev: set[str]) -> list[Doc]:
    """Read texts without gold, but those that training or development data have. Warn (TW551) of what is left out."""
    found: dict[bytes, Doc] = {}
    reasons: dict[str, list[str]] = {}
    total = 0
    for source in lesson.texts:
        for item in read_items(source, lesson.options, text_column=lesson.text_column):
            total += 1
            try:
                doc = make_doc(item, nlp, keep_tokens=lesson.options.keep_tokens)
            except ValueError as error:
                reasons.setdefault("cannot be read", []).append(f"{item.where}: {error}")
                continue
            reason = _why_left_out(letters(doc), gold, dev)
            if reason:
                reasons.setdefault(reason, []).append(item.where)
            else:
                found[text_hash(doc)] = doc
    if reasons:
        told = ", ".join(f"{len(where)} {reason}" for reason, where in reasons.items())
        first = next(iter(reasons.values()))[0][:200]
        count = sum(map(len, reasons.values()))
        warnings.warn(Warnings.TW551.format(count=count, total=total, reasons=told, first=first), stacklevel=5)
    return list(found.values())


def _why_left_out(text: str, gold: set[str], dev: set[str]) -> str:
    if not text:
        return "are empty"
    if text in dev:
        return "are in the development data"
    return "are in the training data" if text in gold else ""


def _made_of(teachers: Sequence[Teacher], plan: _Plan) -> dict[str, str]:
    """Tell by digests what is going to be said: by whom, and of which texts."""
    rows = sorted(
        key.hex() + " ".join(sorted(teachers[number].sha256 for number in who)) for key, (_, who) in plan.asked.items()
    )
    others = sorted(key.hex() for key in plan.others)
    told = {"teachers": sorted(each.sha256 for each in teachers), "texts": [*rows, "", *others]}
    return {name: hashlib.sha256("\n".join(parts).encode("ascii")).hexdigest() for name, parts in told.items()}


def _read_kept(path: Path, made_of: dict[str, str], *, overwrite: bool) -> SoftStore | None:
    """Read what was said before, if it is what would be said again. RAISES (ValueError): TC553; TC554; TC403."""
    if not (path / FACTS).exists():
        return None
    try:
        store = read_store(path)
    except ValueError:
        if overwrite:
            return None
        raise
    changed = [name for name, value in made_of.items() if store.made_of.get(name) != value]
    if changed and not overwrite:
        raise ValueError(Errors.TC553.format(path=path, changed=" and ".join(changed)))
    return None if changed else store

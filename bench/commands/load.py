"""`load`: seconds until a pipeline is there, and what our package adds to importing spaCy; a fresh process each time.

The process has imported spaCy before, and with it torch, for all systems alike. Files are in the system's cache."""

import dataclasses
import json

from ..data import write_sample
from ..exports import hugging_face
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows
from ..system import OURS, Setting, System, transition
from .annotate import our_forms

FRESH = "bench.fresh:measured_fresh"
SPACY = "import spacy"
ENTRY_POINTS = "for point in distribution('spacy-tokclf').entry_points: point.load()"


def imports(class_name: str) -> list[System]:
    """List what is imported.

    class_name (str): The class of the trained model in transformers.
    RETURNS (list[System]): The systems.
    """
    lines = (
        ("spaCy", "", SPACY),
        (f"{OURS}, on top of spaCy", SPACY, "import spacy_tokclf"),
        (f"{OURS}, all its entry points", f"{SPACY}; from importlib.metadata import distribution", ENTRY_POINTS),
        ("transformers, on top of spaCy", SPACY, "import transformers"),
        ("transformers with the model's class", SPACY, f"from transformers import {class_name}"),
    )
    return [System(name, FRESH, {"before": before, "timed": timed}) for name, before, timed in lines]


def pipelines(setting: Setting, class_name: str) -> list[System]:
    """List what is loaded.

    setting (Setting): The setting.
    class_name (str): The class of the trained model in transformers.
    RETURNS (list[System]): The systems.
    """
    checkpoint = str(hugging_face(setting))
    named = {"model": checkpoint, "aggregation_strategy": "first"}
    ner = f"pipeline('ner', **{named})"
    token_pipe = f"spacy.blank('en').add_pipe('hf_token_pipe', config={named})"
    imported = f"{SPACY}, transformers; from transformers import pipeline, {class_name}"
    found = [
        System('pipeline("ner")', FRESH, {"before": SPACY, "timed": f"from transformers import pipeline; {ner}"}),
        System('pipeline("ner"), transformers imported', FRESH, {"before": imported, "timed": ner}),
        System(
            "hf_token_pipe",
            FRESH,
            {"before": SPACY, "timed": token_pipe},
            environment="older",
            needs=("spacy-huggingface-pipelines",),
        ),
        System(
            "spacy-transformers + transition NER",
            "bench.peers.transition_ner:loading",
            {**write_sample(setting), **transition(setting), "before": SPACY},
            environment="older",
            needs=("spacy-transformers",),
        ),
    ]
    for system in our_forms(setting, {}, f"{OURS} spacy.load", FRESH):
        if system.precision == "bf16":  # what is loaded is the same
            continue
        timed = f"spacy.load({system.options['model']!r})"
        found.append(dataclasses.replace(system, options={"before": SPACY, "timed": timed}))
        if system.name == f"{OURS} spacy.load":
            name = f"{system.name}, transformers imported"
            found.append(System(name, FRESH, {"before": imported, "timed": timed}))
    return found


def measure(setting: Setting) -> list[Row]:
    """Measure importing and loading.

    setting (Setting): The setting.
    RETURNS (list[Row]): The rows.
    """
    config = json.loads((hugging_face(setting) / "config.json").read_text(encoding="utf8"))
    class_name = config["architectures"][0]
    rows = []
    for work, systems in (("import", imports(class_name)), ("load", pipelines(setting, class_name))):
        systems[0] = dataclasses.replace(systems[0], reference=True)
        found = wanted(systems, setting)
        answers = run_rounds(found, setting, note=lambda result: f"{result['value']:.3f} s")
        rows += make_rows(work, "s", found, answers)
    return rows

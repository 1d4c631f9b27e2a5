"""Every line of code on the pages of documentation runs: in a copy of the project, on the sample corpus, with a tiny
encoder. `scripts/check_dist.py` runs the front page from the wheel.
"""

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
from pages import README, ROOT, RUN, Code, Page
from spacy.cli._util import app as spacy_app
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.util import load_config, load_config_from_str
from typer.testing import CliRunner

import spacy_tokclf.cli  # noqa: F401 (adds its commands to spaCy's)
from spacy_tokclf.corpus import read_conll, records_to_docs
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.runtime.device import set_device

HUGGING_FACE = next(page for page in RUN if page.path.name == "hugging-face.md")
GUIDE = "## From the Hugging Face guide to here"
COMMAND = "python -m spacy "
#: What has to be another here: the Hub's encoder and data, and a GPU.
STAND_INS = {
    "distilbert/distilbert-base-uncased": "assets/encoder",
    "wnut_17 corpus/train.spacy": "sample/train.conll corpus/train.spacy",
    "wnut_17 corpus/dev.spacy": "sample/dev.conll corpus/dev.spacy",
    "--gpu-id 0": "--gpu-id -1",
    "--device cuda:0": "--device cpu",
    "SPACY_TOKCLF_DEVICE=cuda:0": "SPACY_TOKCLF_DEVICE=cpu",
}
#: What some commands get besides, for as many steps as a test has time for, and without a network.
BESIDES = {
    "train configs/own_data.cfg": "--paths.encoder assets/encoder",
    "tokclf train configs/own_data.cfg": "--paths.encoder assets/encoder --epochs 0.1",
    "find-threshold": "--n_trials 2",
    "tokclf init": "--encoder assets/encoder --epochs 1",
    "tokclf report": "--resamples 20",
    "tokclf distill": "--training.max_steps 4 --training.eval_frequency 2",
}
#: The same for `spacy train`, by how its config has the length of training.
IN_EPOCHS, IN_STEPS = "--initialize.after_init.epochs 0.1", "--training.max_steps 4 --training.eval_frequency 2"
#: Commands that need a Hub and somebody's account; tests/hub runs `push` against a Hub of its own.
NEEDS_AN_ACCOUNT = (
    "hf auth login",
    "python -m spacy tokclf push training/portable/model-best --repo USER/NAME --private",
)
#: Commands that other tests run: the project, the tests themselves, and what installs the package.
ELSEWHERE = re.compile(r"make [a-z-]+$|\.venv/bin/python -m spacy project run |python -m pip install |python -m build ")
SLOW = {
    f"docs/{name}.md" for name in ("distill", "in-the-place-of-ner", "hugging-face", "scale", "threshold", "tutorial")
}


def pages(*languages: str) -> list[Any]:
    """Give the pages with code in some languages, as parameters of a test."""
    found = [page for page in RUN if any(code.language in languages for code in page.blocks)]
    slow = [pytest.mark.slow]
    return [pytest.param(page, id=page.path.stem, marks=slow if page.name in SLOW else []) for page in found]


def guide_lines() -> list[str]:
    """Give the code in the right column of the table of the guide, in order."""
    section = HUGGING_FACE.text.split(GUIDE)[1].split("\n## ")[0]
    rows = [row.strip("|").split("|") for row in section.splitlines() if row.startswith("|")][2:]
    found = [line for _, here in rows for line in re.findall(r"`([^`]+)`", here)]
    return [line for line in found if not line.startswith("--")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, encoder_dir: Path) -> Path:
    """A copy of what the pages speak of, with a tiny encoder and pipelines that know nothing."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("configs", "sample", "scripts"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(encoder_dir, folder / "assets" / "encoder")
    nlp = untrained(encoder_dir)
    for place in ("training", "training/portable"):
        (folder / place).mkdir()
        nlp.to_disk(folder / place / "model-best")
    (folder / "corpus").mkdir()
    for split in ("train", "dev", "test"):
        docs = list(records_to_docs(read_conll(folder / "sample" / f"{split}.conll"), spacy.blank("en").vocab))[:40]
        DocBin(docs=docs).to_disk(folder / "corpus" / f"{split}.spacy")
        shutil.copy(folder / "sample" / f"{split}.conll", folder)
    run_command("python -m spacy tokclf convert sample/train.conll texts.jsonl", folder)
    (folder / "new.txt").write_text("Mira lives in Porto.\nSo it goes.\n", encoding="utf-8")
    (folder / "posts").mkdir()
    (folder / "posts" / "2020.jsonl").write_text('{"id": 1, "text": "Mira lives in Porto."}\n"So it goes."\n')
    spacys_own(docs).to_disk(folder / "en_core_web_sm")
    return folder


def untrained(encoder: Path) -> Language:
    """Make a pipeline with the labels of WNUT-17."""
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner")
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder)}
    labels = ["corporation", "creative-work", "group", "location", "person", "product"]
    nlp.config["initialize"]["components"] = {"ner": {"encoder": loader, "labels": labels}}
    nlp.initialize()
    nlp.config["initialize"]["components"] = {}
    return nlp


def spacys_own(docs: list[Any]) -> Language:
    """Make a pipeline as spaCy's trained ones are: a tagger that listens, and a `ner` with its own vectors."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    nlp.add_pipe("tagger", config={"model": {"tok2vec": listener}})
    nlp.add_pipe("ner")
    for doc in docs:
        for token in doc:
            token.tag_ = "NN"
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    return nlp


@pytest.fixture
def here(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the copy as working directory."""
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "SPACY_TOKCLF_DEVICE", "")
    yield tmp_path
    set_device(None)


def run_command(line: str, folder: Path | None = None) -> str:
    """Run `python -m spacy ...` in this process; give what it printed."""
    for ours, other in STAND_INS.items():
        line = line.replace(ours, other)
    while match := re.match(r"(\w+)=(\S+) ", line):
        os.environ[match[1]] = match[2]
        line = line[match.end() :]
    assert line.startswith(COMMAND), f"the test does not know how to run {line!r}"
    given = line.removeprefix(COMMAND)
    for command, besides in BESIDES.items():
        if given.startswith(f"{command} ") and besides.split()[0] not in given:
            given += f" {besides}"
    arguments = shlex.split(given)
    if arguments[0] == "train":
        in_epochs = "spacy-tokclf.epochs.v1" in Path(arguments[1]).read_text(encoding="utf-8")
        arguments += shlex.split(IN_EPOCHS if in_epochs else IN_STEPS)
    before = Path.cwd()
    try:
        os.chdir(folder or before)
        result = CliRunner().invoke(spacy_app, arguments)
    finally:
        os.chdir(before)
    assert result.exit_code == 0, (line, result.output, result.exception)
    return result.output


def run_python(code: Code, page: Page) -> None:
    exec(compile(code.text, f"{page.name}, line {code.line}", "exec"), {})


def run_config(code: Code, page: Page) -> None:
    """The sections of a config that a page shows fit into a whole config."""
    config = load_config(Path("configs") / "own_data.cfg")
    names = ("components", "corpora", "training")
    above = "".join(f"[{section}]\n" for section in names if f"\n[{section}." in f"\n{code.text}")
    above = "".join(line for line in above.splitlines(True) if f"\n{line}" not in f"\n{code.text}")
    merged = config.merge(load_config_from_str(above + code.text, interpolate=False))
    components = list(merged["components"])
    merged["nlp"]["pipeline"] = components
    for name in components:
        if "source" not in merged["components"][name]:
            merged["components"][name].setdefault("model", config["components"]["ner"]["model"])
    merged["paths"]["encoder"] = "assets/encoder"
    nlp = spacy.util.load_model_from_config(merged, auto_fill=True, validate=True)
    assert nlp.pipe_names == components
    for name, weight in merged["training"]["score_weights"].items():
        assert weight is None or weight >= 0.0, name


def run_data(code: Code, page: Page) -> None:
    """Data that a page shows are read, with entities."""
    suffix = {"json": ".jsonl", "conll": ".conll"}[code.language]
    Path(f"shown{suffix}").write_text(code.text, encoding="utf-8")
    docs = list(read_any(f"shown{suffix}", spacy.blank("en"), ReadOptions()))
    assert docs and all(doc.ents for doc in docs)


def run_commands(code: Code, page: Page) -> None:
    for line in code.commands:
        if line not in NEEDS_AN_ACCOUNT and not all(ELSEWHERE.match(part) for part in line.split(" && ")):
            run_command(line)


RUNNERS: dict[str, Callable[[Code, Page], None]] = {
    "python": run_python,
    "bash": run_commands,
    "ini": run_config,
    "json": run_data,
    "conll": run_data,
}


@pytest.mark.parametrize("page", pages(*RUNNERS))
def test_the_code_of_a_page(page: Page, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From its top to its end: each block finds what those before it made."""
    for code in page.blocks:
        if code.language in RUNNERS:
            RUNNERS[code.language](code, page)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.path.stem)
def test_every_language_is_known(page: Page) -> None:
    assert {code.language for code in page.blocks} <= {*RUNNERS, "text"}
    assert page.text.count("```") == 2 * len(page.blocks)


def test_what_is_not_run_is_there() -> None:
    lines = [line for page in RUN for code in page.blocks if code.language == "bash" for line in code.commands]
    assert set(NEEDS_AN_ACCOUNT) <= set(lines)


@pytest.mark.slow
def test_the_lines_of_the_guide(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Row by row, in order: each line finds what those before it made."""
    (setup,) = (code for code in HUGGING_FACE.blocks if "evaluate_module_path" in code.text)
    names: dict[str, Any] = {}
    exec(setup.text, names)
    values: dict[str, Any] = {}
    for line in guide_lines():
        if line.startswith("python"):
            values[line.split()[3 + ("tokclf" in line)]] = run_command(line)
        elif re.match(r"\w+ = ", line):
            exec(line, names)
        else:
            values[line] = eval(line, names)
    assert list(values)[:6] == [
        "convert",
        "debug",
        "debug-pieces",
        next(k for k in values if "compute" in k),
        "train",
        "evaluate",
    ]
    assert "-100" in values["debug-pieces"]
    assert (here / "training" / "guide" / "model-best" / "config.cfg").is_file()
    assert (here / "guide" / "README.md").is_file()
    (score,) = (value for key, value in values.items() if "compute" in key)
    assert score["overall_f1"] == 1.0
    doc = names["nlp"](names["text"])
    entities, spans = (values[key] for key in ("to_hf_entities(text, nlp)", "nlp(text).ents"))
    assert all({"entity", "score", "index", "word", "start", "end"} == set(entity) for entity in entities)
    assert [span.text for span in spans] == [span.text for span in doc.ents]
    (best,) = (value for key, value in values.items() if "argmax" in key)
    assert len(best) == len(doc) and set(best) <= set(names["ner"].tags)


def test_the_rows_of_the_guide_are_all_there() -> None:
    section = HUGGING_FACE.text.split(GUIDE)[1].split("\n## ")[0]
    steps = ["load", "labels", "align", "collator", "metrics", "train", "best", "push", "pipeline", "logits"]
    left = "\n".join(row.split("|")[1] for row in section.splitlines() if row.startswith("|"))
    assert [step for step in steps if step not in left] == []


@pytest.mark.slow
def test_the_example_of_the_readme(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What `make run` trains finds what the README shows; scores hang on the processor, and are near."""
    facts = ROOT / "metrics" / "run.json"
    if not facts.is_file() or not (ROOT / "training" / "model-best").is_dir():
        pytest.skip("there is no pipeline that was trained on WNUT-17: run `make run`")
    (python,) = (code for code in README.blocks if code.language == "python")
    (shown,) = (code for code in README.blocks if code.language == "text")
    monkeypatch.chdir(ROOT)
    run_python(python, README)
    found, expected = (
        [line.rsplit(" ", 1) for line in text.splitlines()] for text in (capsys.readouterr().out, shown.text)
    )
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert [float(score) for _, score in found] == pytest.approx([float(score) for _, score in expected], abs=0.2)


def test_the_data_of_the_readme_are_what_they_say() -> None:
    (code,) = (code for code in README.blocks if code.language == "json")
    row = json.loads(code.text)
    found = [(row["text"][start:end], label) for start, end, label in row["label"]]
    assert found == [("Mira Sandoval", "person"), ("Porto", "location")]

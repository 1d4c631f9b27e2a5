"""Every line of code in the README runs: in a copy of the project, on the sample corpus, with a tiny encoder."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import spacy
from spacy.cli._util import app
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.util import load_config, load_config_from_str
from typer.testing import CliRunner

import spacy_tokclf.cli  # noqa: F401 (adds its commands to spaCy's)
from spacy_tokclf.corpus import read_conll, records_to_docs

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
GUIDE = "## From the Hugging Face guide to here"
COMMAND = "python -m spacy "
#: What has to be another here: the Hub's encoder and data, and as many steps as a test has time for.
STAND_INS = {
    "distilbert/distilbert-base-uncased": "assets/encoder",
    "wnut_17 corpus/train.spacy": "sample/train.conll corpus/train.spacy",
    "wnut_17 corpus/dev.spacy": "sample/dev.conll corpus/dev.spacy",
}
SHORT = ["--training.max_steps", "4", "--training.eval_frequency", "2"]
#: Commands that need a Hub and somebody's account; tests/hub runs `push` against a Hub of its own.
NEEDS_AN_ACCOUNT = (
    "hf auth login",
    "python -m spacy tokclf push training/portable/model-best --repo USER/NAME --private",
)
#: Commands that other tests run: the project, and the tests themselves.
THE_PROJECT = re.compile(r"make [a-z-]+$|\.venv/bin/python -m spacy project run ")


class Code(NamedTuple):
    """A block of code: its language, its text, and the number of its first line."""

    language: str
    text: str
    line: int

    @property
    def commands(self) -> list[str]:
        """RETURNS (list[str]): The commands of a block, without comments."""
        joined = self.text.replace("\\\n", " ")
        return [line.split("  #")[0].split(" # ")[0].strip() for line in joined.splitlines() if line.strip()]


BLOCKS = [Code(m[1], m[2], README[: m.start()].count("\n") + 1) for m in BLOCK.finditer(README)]


def blocks(language: str) -> list[Any]:
    """Give the blocks in a language, as parameters of a test."""
    return [pytest.param(code, id=f"line {code.line}") for code in BLOCKS if code.language == language]


def guide_lines() -> list[str]:
    """Give the code in the right column of the table of the guide, in order."""
    section = README.split(GUIDE)[1].split("\n## ")[0]
    rows = [row.strip("|").split("|") for row in section.splitlines() if row.startswith("|")][2:]
    found = [line for _, here in rows for line in re.findall(r"`([^`]+)`", here)]
    return [line for line in found if not line.startswith("--")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, make_nlp_once: Language, encoder_dir: Path) -> Path:
    """A copy of what the README speaks of, with a tiny encoder and an untrained pipeline."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("configs", "sample", "scripts"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(encoder_dir, folder / "assets" / "encoder")
    (folder / "training" / "portable").mkdir(parents=True)
    for place in ("", "portable"):
        make_nlp_once.to_disk(folder / "training" / place / "model-best")
    (folder / "corpus").mkdir()
    for split in ("train", "dev", "test"):
        docs = records_to_docs(read_conll(folder / "sample" / f"{split}.conll"), spacy.blank("en").vocab)
        DocBin(docs=list(docs)[:40]).to_disk(folder / "corpus" / f"{split}.spacy")
    for name in ("train", "dev"):
        shutil.copy(folder / "sample" / f"{name}.conll", folder)
    return folder


@pytest.fixture(scope="module")
def make_nlp_once(encoder_dir: Path) -> Language:
    """A pipeline with the labels of WNUT-17."""
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner")
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
    labels = ["corporation", "creative-work", "group", "location", "person", "product"]
    nlp.config["initialize"]["components"] = {"ner": {"encoder": loader, "labels": labels}}
    nlp.initialize()
    nlp.config["initialize"]["components"] = {}
    return nlp


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The copy as working directory."""
    monkeypatch.chdir(project)
    yield project


def run_command(line: str) -> str:
    """Run `python -m spacy ...` in this process; give what it printed."""
    assert line.startswith(COMMAND), f"the test does not know how to run {line!r}"
    for ours, other in STAND_INS.items():
        line = line.replace(ours, other)
    arguments = shlex.split(line.removeprefix(COMMAND))
    result = CliRunner().invoke(app, [*arguments, *(SHORT if arguments[0] == "train" else [])])
    assert result.exit_code == 0, (line, result.output, result.exception)
    return result.output


def test_every_language_is_known() -> None:
    assert {code.language for code in BLOCKS} == {"python", "bash", "ini", "text"}
    assert README.count("```") == 2 * len(BLOCKS)


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code: Code, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code.text, f"README.md, line {code.line}", "exec"), {})


@pytest.mark.parametrize("code", blocks("bash"))
def test_commands(code: Code, here: Path) -> None:
    for line in code.commands:
        if line not in NEEDS_AN_ACCOUNT and not THE_PROJECT.match(line):
            run_command(line)


def test_what_is_not_run_is_there_and_is_all() -> None:
    lines = [line for code in BLOCKS if code.language == "bash" for line in code.commands]
    assert set(NEEDS_AN_ACCOUNT) <= set(lines)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = {line.split()[1] for line in lines if line.startswith("make ")} | set(
        re.findall(r"`make ([a-z-]+)`", README)
    )
    assert made and made <= targets


@pytest.mark.parametrize("code", blocks("ini"))
def test_configs(code: Code, here: Path) -> None:
    """The sections of a config that the README shows fit into a whole config."""
    config = load_config(here / "configs" / "own_data.cfg")
    above = "".join(f"[{section}]\n" for section in ("components", "training") if f"\n[{section}" in f"\n{code.text}")
    merged = config.merge(load_config_from_str(above + code.text, interpolate=False))
    names = list(merged["components"])
    merged["nlp"]["pipeline"] = names
    for name in names:
        merged["components"][name].setdefault("model", config["components"]["ner"]["model"])
    merged["paths"]["encoder"] = "assets/encoder"
    nlp = spacy.util.load_model_from_config(merged, auto_fill=True, validate=True)
    assert nlp.pipe_names == names
    for name, weight in merged["training"]["score_weights"].items():
        assert weight is None or weight >= 0.0, name


def test_the_lines_of_the_guide(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Row by row, in order: each line finds what those before it made."""
    (setup,) = (code for code in BLOCKS if "evaluate_module_path" in code.text and code.language == "python")
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
    section = README.split(GUIDE)[1].split("\n## ")[0]
    steps = ["load", "labels", "align", "collator", "metrics", "train", "best", "push", "pipeline", "logits"]
    left = "\n".join(row.split("|")[1] for row in section.splitlines() if row.startswith("|"))
    assert [step for step in steps if step not in left] == []

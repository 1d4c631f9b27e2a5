"""What a user may get wrong, in all commands: a code, a sentence, the cure, exit code 1, and never a traceback."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy.language import Language
from typer.testing import CliRunner, Result

from spacy_tokclf import PretrainedEncoder
from spacy_tokclf.cli import app
from spacy_tokclf.corpus import convert as corpus_convert
from spacy_tokclf.pipeline.load import load_pipeline
from spacy_tokclf.pipeline.token_classifier import TokenClassifier
from spacy_tokclf.runtime.device import current_device, set_device

GOLD = "Bob\tB-person\nin\tO\nRome\tB-location\n\n" * 3
LINES = 12
#: What is wrong with a saved pipeline: the text of its config.cfg that is replaced, and by what.
SPOILED = {
    "no-factory": ('factory = "token_classifier"', 'factory = "no_such_component"'),
    "no-architecture": ("TokenClassifier.v1", "NoSuch.v9"),
    "no-section": ("[nlp]", "[nlp"),
    "twice": ("[components]", "[nlp]\n\n[components]"),
    "no-language": ('lang = "en"', 'lang = "zz"'),
    "no-package": ("spacy.Tokenizer.v1", "spacy.ko.KoreanTokenizer"),
    "no-value": ("pooling", "pooling_of"),
}
#: Missing files and wrong contents of the others.
DAMAGED: dict[str, tuple[str, bytes | None]] = {
    "no-config": ("config.cfg", None),
    "no-meta": ("meta.json", None),
    "no-json": ("meta.json", b"{"),
    "no-object": ("meta.json", b"null"),
    "no-model": ("ner/model", None),
    "no-weights": ("ner/encoder/model.safetensors", b"\x00" * 20),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, encoder_dir: Path) -> Path:
    """A folder with data, and with pipelines right and wrong."""
    place = tmp_path_factory.mktemp("place")
    (place / "gold.conll").write_text(GOLD, encoding="utf8")
    (place / "folder").mkdir()
    for name in ("folder.spacy", "folder.conll", "folder.jsonl"):
        (place / name).mkdir()
    (place / "full").mkdir()
    (place / "full" / "file").write_text("")
    shutil.copytree(encoder_dir, place / "encoder")
    (place / "random.spacy").write_bytes(bytes(range(129, 250)))
    (place / "empty.spacy").write_bytes(b"")
    for name, kind in (("saved", "state.json"), ("saved-splits", "dataset_dict.json")):
        (place / name).mkdir()
        (place / name / kind).write_text("[]")
    for name, setting in (("name", "name = 3"), ("window", 'name = "a"')):
        blocks = f'[a]\n@misc = "spacy-tokclf.PretrainedEncoder.v1"\n{setting}\n'
        blocks += (
            '[b]\n@architectures = "spacy-tokclf.TransformerEncoder.v1"\nwindow = -1\n[training]\noptimizer = null'
        )
        (place / f"{name}.cfg").write_text(blocks)
    nlp = spacy.blank("en")
    nlp.to_disk(place / "blank")
    nlp.add_pipe("token_classifier", name="ner")
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
    nlp.config["initialize"]["components"]["ner"] = {"encoder": loader, "labels": ["person", "location"]}
    nlp.initialize()
    nlp.to_disk(place / "ours")
    for name, (old, new) in SPOILED.items():
        shutil.copytree(place / "ours", place / name)
        text = (place / name / "config.cfg").read_text(encoding="utf8")
        assert old in text, name
        (place / name / "config.cfg").write_text(text.replace(old, new, 1), encoding="utf8")
    for name, (file, content) in DAMAGED.items():
        shutil.copytree(place / "ours", place / name)
        (place / name / file).unlink()
        (place / name / "ner" / "manifest.json").unlink()  # the checksums notice any of it
        if content is not None:
            (place / name / file).write_bytes(content)
    return place


@pytest.fixture(autouse=True)
def in_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


def invoke(command: str, **env: str) -> Result:
    if command.startswith("optimize"):
        pytest.importorskip("onnxscript")
    if any(word in command for word in ("parquet", "saved", "full/file")):
        pytest.importorskip("datasets", exc_type=ImportError)
    return CliRunner(env={"COLUMNS": "80", **env}).invoke(app, [word.replace("~", "") for word in command.split()])


def refused(command: str, code: str, **env: str) -> str:
    """Run a command that has to fail with a code, and give what it said."""
    result = invoke(command, **env)
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, f"[{code}]" in result.output) == (1, True), result.output
    message = result.output[result.output.index(f"[{code}]") :]
    assert "Traceback" not in result.output
    assert len(message.splitlines()) < LINES
    return " ".join(message.split())


#: Commands that open a pipeline.
OPENING = {
    "evaluate": "evaluate {} gold.conll",
    "tune": "tune {} gold.conll -o out",
    "tune --like": "tune ours --like {}",
    "export-hf": "export-hf {} out",
    "optimize": "optimize {} out",
    "debug-pieces": "debug-pieces {} text",
    "push": "push {} --repo user/name --dry-run out",
}
NO_PIPELINE = ("nothing", "no/such", "folder", "gold.conll", "encoder", "numpy", "typer", "scikit-learn")
MISSING = ("no-config", "no-meta", "no-json", "no-object")


@pytest.mark.parametrize("command", list(OPENING))
def test_no_pipeline(command: str) -> None:
    every = command == "evaluate"  # all commands load in one way: the others try a few
    for name in (*NO_PIPELINE, *MISSING) if every else ("nothing", "folder", "numpy", "no-meta"):
        says = refused(OPENING[command].format(name), "TC292")
        assert repr(name) in says and "spacy download" in says
    assert not Path("out").exists()


@pytest.mark.parametrize("command", list(OPENING))
def test_pipelines_that_cannot_be_loaded(command: str) -> None:
    cures = {"no-factory": "Install", "no-package": "Install", "no-model": "damaged", "no-weights": "damaged"}
    every = command == "evaluate"
    for name in {*SPOILED, *DAMAGED} - set(MISSING) if every else ("no-factory", "no-section", "no-model"):
        is_ours = name in ("no-model", "no-weights")  # files of our component
        says = refused(OPENING[command].format(name), "TC089" if is_ours else "TC138")
        assert (f"{name}/ner" if is_ours else repr(name)) in says
        assert cures.get(name, "Correct" if name != "no-architecture" else "Install") in says
    assert not Path("out").exists()


@pytest.mark.parametrize("command", [command for command in OPENING if command not in ("evaluate", "tune --like")])
def test_pipelines_without_the_component(command: str) -> None:
    code = {"optimize": "TC307", "push": "TC293"}.get(command, "TC255")
    refused(OPENING[command].format("blank"), code)


def test_pipelines_without_entities() -> None:
    assert "its components: none" in refused("evaluate blank gold.conll", "TC241")


#: Other commands, as they are, with the code and a word of the cure.
MISTAKES = [
    # languages
    ("convert gold.conll out.spacy --lang zz", "TC139", "xx"),
    ("convert gold.conll out.spacy --lang ~", "TC139", "en"),
    ("convert gold.conll out.spacy --lang ../en", "TC139", "en"),
    *((f"convert gold.conll out.spacy --lang {lang}", "TC140", "pip install") for lang in ("ja", "ko", "th", "vi")),
    ("debug gold.conll --lang ja", "TC140", "spacy[ja]"),
    ("debug gold.conll --lang zz", "TC139", "en"),
    ("evaluate blank:zz gold.conll", "TC139", "en"),
    ("evaluate blank:ko gold.conll", "TC140", "spacy[ko]"),
    # configs
    *((f"debug gold.conll {path}", "TC141", "init config") for path in ("no.cfg", "gold.conll", "folder")),
    ("debug gold.conll no-section/config.cfg", "TC141", "line"),
    ("debug gold.conll twice/config.cfg", "TC141", "already exists"),
    ("debug gold.conll ours/config.cfg --no.section 3", "TC141", "--section.key"),
    ("debug gold.conll ours/config.cfg --nlp.lang zz", "TC139", "en"),
    ("debug gold.conll name.cfg", "TC031", "folder of an encoder"),
    ("debug gold.conll window.cfg", "TC031", "whole number"),
    # encoders
    ("debug gold.conll --encoder no/such", "TC284", "folder"),
    ("debug gold.conll --encoder folder", "TC010", "config.json"),
    ("debug gold.conll --encoder gold.conll", "TC010", "file"),
    ("import-hf no/such out", "TC284", "folder"),
    ("import-hf gold.conll out", "TC010", "file"),
    ("import-hf folder out", "TC010", "config.json"),
    ("import-hf ours out", "TC010", "config.json"),
    ("import-hf encoder out", "TC252", "fine-tuned"),
    ("import-hf encoder out --component ~", "TC031", "name"),
    ("import-hf encoder out --component a/b", "TC031", "slashes"),
    # what is read
    *((f"{command} {name}.spacy{rest}", "TC136", "convert")
      for name in ("random", "empty")
      for command, rest in (("convert", " out.conll"), ("debug", ""), ("evaluate ours", ""), ("tune ours", ""),
                            ("score gold.conll", ""), ("optimize ours out --data", ""),
                            ("debug-pieces ours --data", ""))),
    *((f"{command} no.conll{rest}", "TC118", "path")
      for command, rest in (("convert", " out.spacy"), ("debug", ""), ("evaluate ours", ""), ("tune ours", ""),
                            ("score gold.conll", ""), ("score", " gold.conll"), ("optimize ours out --data", ""),
                            ("debug-pieces ours --data", ""), ("evaluate ours gold.conll --train", ""))),
    *((f"{command} folder", "TC118", "path") for command in ("evaluate ours", "tune ours", "score gold.conll")),
    *((f"convert {name} out.spacy", "TC156", "save") for name in ("saved", "saved-splits")),
    # where to
    *((f"convert gold.conll folder{suffix}", "TC144", "folder") for suffix in (".spacy", ".conll", ".jsonl")),
    *((f"convert gold.conll gold.conll/out{suffix}", "TC144", "file") for suffix in (".spacy", ".conll", ".jsonl")),
    ("convert gold.conll out.docx", "TC172", "*.spacy"),
    ("evaluate ours gold.conll --json folder", "TC144", "folder"),
    ("evaluate ours gold.conll --json gold.conll/x", "TC144", "file"),
    ("evaluate ours gold.conll --errors folder", "TC144", "folder"),
    ("score gold.conll gold.conll --json folder", "TC144", "folder"),
    ("tune ours gold.conll -o gold.conll", "TC144", "file"),
    ("export-hf ours gold.conll/out", "TC144", "file"),
    ("export-hf ours gold.conll", "TC259", "another"),
    ("export-hf ours full --force", "TC260", "another"),
    ("export-hf ours ours/ner/encoder --force", "TC306", "another"),
    ("optimize ours ours --force", "TC306", "another"),
    ("import-hf encoder encoder", "TC260", "another"),
    ("optimize ours full", "TC259", "another"),
    ("push ours --repo user/name --dry-run full", "TC294", "new"),
    ("push ours --repo name --dry-run out", "TC287", "USER/NAME"),
    ("push ours --repo user/name", "TC290", "--dry-run"),
    # values of options
    ("evaluate ours gold.conll --batch-size 0", "TC119", "1"),
    ("evaluate ours gold.conll --batch-size -3", "TC119", "1"),
    ("evaluate ours gold.conll --resamples -1", "TC213", "1"),
    ("score gold.conll gold.conll --resamples -1", "TC213", "1"),
    ("score gold.conll gold.conll --mode fair", "TC213", "strict"),
    ("score gold.conll gold.conll --scheme IOB9 --mode strict", "TC207", "IOB2"),
    *((f"{command} gold.conll{rest} {option}", code, cure)
      for command, rest in (("convert", " out.spacy"), ("debug", ""), ("evaluate ours", ""), ("tune ours", " -o out"),
                            ("score gold.conll", ""), ("optimize ours out --data", ""),
                            ("debug-pieces ours --data", ""))
      for option, code, cure in (("--separator ~", "TC213", "text"), ("--encoding ~", "TC213", "text"),
                                 ("--offsets maybe", "TC167", "trust"),
                                 ("--on-misaligned foo", "TC167", "mask"), ("--overlap foo", "TC167", "longest"),
                                 ("--format foo", "TC167", "prodigy"), ("--encoding nonsense", "TC125", "utf-8"))),
    ("convert ~ out.spacy", "TC118", "path"),
    ("debug ~", "TC118", "path"),
    ("debug gold.conll --nlp.lang de", "TC090", "--help"),
    ("debug gold.conll --tag-colunm 0", "TC090", "--tag-colunm"),
    ("debug gold.conll ours/config.cfg --tag-colunm 0", "TC090", "--tag-colunm"),
    ("debug gold.conll ours/config.cfg extra", "TC090", "extra"),
    ("convert gold.conll full", "TC294", "new"),
    ("convert gold.conll ~", "TC294", "new"),
    ("convert gold.conll full/file", "TC144", "there already"),
    ("tune ours gold.conll -o full", "TC260", "another"),
    ("score gold.conll gold.conll --token-column 99", "TC112", "columns"),
    ("convert gold.conll out.spacy --scheme IOB9", "TC100", "IOB2"),
    ("convert gold.conll out.conll --to-scheme IOB9", "TC100", "IOB2"),
    ("convert gold.conll out.jsonl --to word", "TC167", "prodigy"),
    ("debug-pieces ours --data gold.conll --row 99", "TC055", "3"),
    ("debug-pieces ours --data gold.conll --row -1", "TC055", "3"),
    ("debug-pieces ours text --component other", "TC255", "ner"),
    ("tune ours gold.conll --component other", "TC255", "ner"),
    ("tune ours", "TC066", "data"),
    ("optimize ours out --precision int4", "TC304", "int8"),
    ("optimize ours out --max-f1-loss -1", "TC305", "0"),
    ("optimize ours out --component other", "TC307", "another"),
    *((f"{command} ours gold.conll --gpu-id -9", "TC142", "counted from 0") for command in ("evaluate", "tune")),
]  # fmt: skip


@pytest.mark.parametrize(("command", "code", "cure"), MISTAKES, ids=[command for command, *_ in MISTAKES])
def test_mistakes(command: str, code: str, cure: str) -> None:
    assert cure in refused(command, code)
    assert not Path("out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
class TestWithoutGpu:
    """A GPU is asked for where there is none."""

    @pytest.mark.parametrize("command", ["evaluate", "tune"])
    def test_option(self, command: str) -> None:
        says = refused(f"{command} ours gold.conll --gpu-id 0", "TC142")
        assert "--device cuda:0" in says and "SPACY_TOKCLF_DEVICE" in says

    @pytest.mark.parametrize("device", ["cuda:0", "cuda:99", "mps", "no-such"])
    def test_variable(self, device: str) -> None:
        for command in ("evaluate ours gold.conll", "export-hf ours out"):
            says = refused(command, "TC143", SPACY_TOKCLF_DEVICE=device)
            assert repr(device) in says and "sees: cpu" in says
        assert not Path("out").exists()

    def test_set_device(self) -> None:
        set_device("cuda:0")
        try:
            with pytest.raises(ValueError, match=r"^\[TC143\].*'cuda:0'"):
                load_pipeline("ours")("a")
        finally:
            set_device(None)
        assert current_device().type == "cpu"


def test_a_wrong_name_of_an_encoder_has_no_chain_of_errors() -> None:
    with pytest.raises(OSError, match="TC284") as caught:
        PretrainedEncoder("no/such")()
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


class TestTheMachine:
    """Rights, a full disk, an interruption; and bugs, which keep their traceback."""

    @pytest.fixture
    def writing(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[BaseException], str]]:
        """Give a function that lets a command fail while it writes, and returns what it says."""

        def fail(error: BaseException) -> str:
            def write(*args: Any, **kwargs: Any) -> None:
                raise error

            monkeypatch.setattr(Language, "to_disk", write)
            return invoke("tune ours gold.conll -o out").output

        return fail

    @pytest.mark.parametrize(
        ("number", "cure"), [(errno.EACCES, "right"), (errno.EROFS, "Choose a place"), (errno.ENOSPC, "Free"), (5, "")]
    )
    def test_refusals(self, number: int, cure: str, writing: Callable[[BaseException], str]) -> None:
        for error in (
            OSError(number, os.strerror(number), "some/file"),
            OSError(number, os.strerror(number)),
            Exception(f"I/O error: {os.strerror(number)} (os error {number})"),  # as libraries in Rust raise them
        )[: 3 if number == errno.ENOSPC else 1]:
            says = " ".join(writing(error).split())
            coded = number in {errno.EROFS, errno.ENOSPC}  # only writing is refused like this
            assert f"[{'TC400' if coded else 'TC144'}]" in says and os.strerror(number) in says and cure in says
            assert "Nothing is left of it" in says if coded else "some/file" in says

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_full_disk(self) -> None:
        assert "Free some space" in refused("evaluate ours gold.conll --json /dev/full", "TC400")

    def test_interruption(self, writing: Callable[[BaseException], str]) -> None:
        assert "[TC145]" in writing(KeyboardInterrupt())

    @pytest.mark.parametrize("kind", [KeyError, ValueError, RuntimeError, TypeError, ImportError, AssertionError])
    def test_bugs_are_shown(self, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: Any, **kwargs: Any) -> None:
            raise kind("a bug")

        monkeypatch.setattr(corpus_convert, "read_any", broken)
        result = invoke("convert gold.conll out.spacy")
        assert isinstance(result.exception, kind) and "TC" not in result.output

    def test_bugs_in_our_components_are_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(TokenClassifier, "check_config", None)
        result = invoke("evaluate ours gold.conll")
        assert isinstance(result.exception, TypeError)


def test_under_python_m_spacy() -> None:
    command = [sys.executable, "-m", "spacy", "tokclf", "evaluate", "nothing", "gold.conll"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode, "[TC292]" in said, "Traceback" in said) == (1, True, False)


#: Commands that write over something, with what they write over.
OVER = {
    "convert gold.conll over.spacy": "over.spacy",
    "convert gold.conll over.jsonl": "over.jsonl",
    "convert gold.conll over.json": "over.json",
    "convert gold.conll over.conll": "over.conll",
    "convert gold.conll over.parquet": "over.parquet",
    "convert gold.conll over": "over",
    "evaluate ours gold.conll --json over.json": "over.json",
    "evaluate ours gold.conll --errors over.jsonl": "over.jsonl",
    "tune tuned gold.conll": "tuned",
    "tune ours gold.conll -o tuned": "tuned",
    "import-hf export tuned": "tuned",
    "export-hf ours export --force": "export",
}


FULL_DISK = """
import resource, signal, sys
from spacy_tokclf.cli import app

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
for command in sys.argv[1:]:
    try:
        app(command.split())
    except SystemExit as end:
        print("EXIT", end.code)
"""


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {str(file): file.read_bytes() for file in files}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_what_is_written_over_survives_a_full_disk(tmp_path: Path, place: Path) -> None:
    """Every command fails as it writes: no file may grow beyond some bytes. All files stay as they were, and no others
    are left."""
    for name in ("ours", "gold.conll", "encoder"):
        (shutil.copytree if (place / name).is_dir() else shutil.copy)(place / name, tmp_path / name)
    os.chdir(tmp_path)
    shutil.copytree("ours", "tuned")
    assert invoke("export-hf ours export").exit_code == 0
    for command, target in OVER.items():
        if not Path(target).exists():
            assert invoke(command).exit_code == 0, command
    before = contents(tmp_path)
    done = subprocess.run([sys.executable, "-c", FULL_DISK, *OVER], capture_output=True, text=True, check=False)
    assert done.stdout.count("EXIT 1") == len(OVER), done.stdout + done.stderr
    assert done.stdout.count("[TC400]") == len(OVER), done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert contents(tmp_path) == before

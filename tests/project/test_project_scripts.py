import json
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import compare_decoders
import compare_windows
import evaluate_model
import export_portable
import numpy as np
import pytest
import spacy
import srsly
import torch
import train
import write_reports
from compute_facts import describe_compute
from convert import convert
from install_check import max_difference, requirements_of
from isolated_env import isolated_variables
from package_model import add_licences
from project_files import folder_made_whole, read_json, write_json, write_whole
from project_scores import remove_other, scores_folder
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus
from spacy.util import load_config
from stamp_code import PACKAGE, sources
from train import precision_overrides, steps_overrides, steps_with_dev

from spacy_tokclf.runtime.products import describe_products
from spacy_tokclf.tags.decode import make_tag_table
from spacy_tokclf.tags.tuning import Tuning

POSTS = {
    "train": [(["Ada", "sings"], [(0, 1, "person")])],
    "dev": [(["see", "Oslo", "now"], [(1, 2, "location")]), (["don't", "ok"], [])],
    "test": [(["Ada", "in", "New", "Oslo"], [(0, 1, "person"), (2, 4, "location")])],
}


@pytest.fixture
def corpus(tmp_path):
    """A corpus of four posts, as .spacy files."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    vocab = spacy.blank("en").vocab
    for split, posts in POSTS.items():
        docs = DocBin()
        for words, ents in posts:
            doc = Doc(vocab, words=words)
            doc.set_ents([Span(doc, start, end, label=label) for start, end, label in ents])
            docs.add(doc)
        docs.to_disk(folder / f"{split}.spacy")
    return folder


@pytest.fixture
def nlp():
    """A pipeline that knows two names."""
    nlp = spacy.blank("en")
    patterns = [{"label": "person", "pattern": "Ada"}, {"label": "location", "pattern": "Oslo"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    return nlp


def test_a_file_or_folder_is_whole_or_not_there(tmp_path):
    write_whole(tmp_path / "deep" / "file", b"one")
    write_whole(tmp_path / "deep" / "file", b"two")
    assert (tmp_path / "deep" / "file").read_bytes() == b"two"
    with pytest.raises(ZeroDivisionError), folder_made_whole(tmp_path / "made") as folder:
        (folder / "half").write_text("half")
        raise ZeroDivisionError
    with folder_made_whole(tmp_path / "made") as folder:
        (folder / "one").write_text("old")
    with folder_made_whole(tmp_path / "made") as folder:
        (folder / "two").write_text("new")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == [
        "deep",
        "deep/file",
        "made",
        "made/two",
    ]


def test_a_missing_step_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit):
        read_json(tmp_path / "data.json")
    assert "data.json is not there" in " ".join(capsys.readouterr().out.split())


def test_scores_of_the_other_data_are_removed(tmp_path):
    assert scores_folder(tmp_path, "wnut17") == tmp_path
    assert scores_folder(tmp_path, "sample", "shared") == tmp_path / "sample" / "shared"
    names = ("test.json",)
    for folder in ("", "shared", "sample", "sample/shared"):
        write_json(tmp_path / folder / "test.json", {})
        write_json(tmp_path / folder / "kept.json", {})
    remove_other(tmp_path, "wnut17", "", names)
    assert not (tmp_path / "sample" / "test.json").exists()
    remove_other(tmp_path, "sample", "shared", names)
    assert not (tmp_path / "shared" / "test.json").exists()
    assert (tmp_path / "test.json").exists() and (tmp_path / "sample" / "shared" / "test.json").exists()
    assert len(list(tmp_path.rglob("kept.json"))) == 4


def test_evaluation_on_gold_tokens_and_on_raw_text(nlp, corpus):
    found = evaluate_model.evaluate(nlp, corpus)
    keys = ["overall_precision", "overall_recall", "overall_f1", "overall_accuracy"]
    assert list(found["test"]) == ["location", "person", *keys]
    assert found["test"]["person"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "number": 1}
    assert found["test"]["location"]["f1"] == 0.0
    assert [found["test"][key] for key in keys] == [0.5, 0.5, 0.5, 0.5]
    assert found["dev"]["overall_f1"] == 1.0
    assert list(found["raw_text"]["dev"]) == ["location", *keys]
    assert found["raw_text"]["dev"]["overall_f1"] == 1.0
    gold = list(Corpus(corpus / "dev.spacy")(nlp))
    references = [eg.reference for eg in gold]
    counts = {raw: [len(eg.predicted) for eg in evaluate_model.annotate(nlp, references, raw_text=raw)[0]]
              for raw in (False, True)}  # fmt: skip
    assert counts == {False: [3, 2], True: [3, 3]}


def test_a_run_is_described(nlp, tmp_path):
    (tmp_path / "out").mkdir()
    nlp.to_disk(tmp_path / "out" / "model-best")
    data = {"source": "sample", "splits": {"test": {"md5": "0"}}}
    encoder = {"encoder": "somewhere", "files": {"model.safetensors": "f00"}}
    run = evaluate_model.describe_run(tmp_path / "out" / "model-best", data, encoder)
    assert run["data"] == "sample" and run["splits"] == data["splits"] and run["training"] is None
    assert run["encoder"] == {"name": "somewhere", "sha256": "f00"}
    assert run["seed"] == 0 and run["versions"]["spacy"] == spacy.__version__
    assert run["compute"] == {"threads": torch.get_num_threads(), "device": "cpu"}, "no encoder of ours"
    write_json(tmp_path / "out" / "time.json", {"seconds": 3.5})
    on_hub = {"encoder": "a/b", "files": None}
    run = evaluate_model.describe_run(tmp_path / "out" / "model-best", data, on_hub)
    assert run["training"] == {"seconds": 3.5} and run["encoder"]["sha256"] is None


def test_conversion_keeps_the_gold_tokens(tmp_path):
    for split in POSTS:
        write_whole(tmp_path / f"{split}.conll", b"do\tO\nn't\tO\n\t\nZyx\tB-person\n\n")
    assert convert(tmp_path, tmp_path / "out") == {"train": 2, "dev": 2, "test": 2, "train_dev": 4}
    examples = list(Corpus(tmp_path / "out" / "dev.spacy")(spacy.blank("en")))
    assert [[token.text for token in eg.predicted] for eg in examples] == [["do", "n't"], ["Zyx"]]
    both = [eg.reference.text for eg in Corpus(tmp_path / "out" / "train_dev.spacy")(spacy.blank("en"))]
    assert both == 2 * [eg.reference.text for eg in examples]


def test_a_faulty_file_stops_the_conversion(root, tmp_path):
    for split in POSTS:
        write_whole(tmp_path / f"{split}.conll", b"a\tO\n\nb\tB-x\tO\n")
    command = [sys.executable, str(root / "scripts" / "convert.py"), str(tmp_path), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "TC113" in done.stdout and "Traceback" not in done.stderr


def test_licences_are_part_of_a_package(nlp, tmp_path):
    encoders = {
        "assets/encoder": "sentence-transformers/all-MiniLM-L6-v2",
        "assets/encoder-large": "sentence-transformers/all-mpnet-base-v2",
        "some/model": "some/model",
    }
    for source, encoder in zip(("wnut17", "wnut17", "sample"), encoders, strict=True):
        nlp.to_disk(tmp_path / source)
        add_licences(tmp_path / source, source, encoder)
        meta = srsly.read_json(tmp_path / source / "meta.json")
        licences = (tmp_path / source / "LICENSES_SOURCES").read_text()
        assert meta["sources"][0]["name"] == encoders[encoder]
        for part in meta["sources"]:
            assert part["name"] in licences and part["license"] in licences
        assert ("SAMPLE" in meta["description"]) == (source == "sample")
        assert (tmp_path / source / "LICENSE").exists() == (encoder != "some/model")
        spacy.load(tmp_path / source)
    assert "CC BY 4.0" in (tmp_path / "wnut17" / "LICENSES_SOURCES").read_text()


@pytest.mark.parametrize(
    ("installed", "difference"),
    [
        ([[(0, 3, "person", 0.5)], []], 0.0),
        ([[[0, 3, "person", 0.25]], []], 0.25),
        ([[[0, 3, "group", 0.5]], []], None),
        ([[[0, 3, "person", None]], []], None),
        ([[], []], None),
        ([[[0, 3, "person", 0.5]], [[0, 1, "person", 0.5]]], None),
    ],
)
def test_installed_and_trained_are_compared(installed, difference):
    assert max_difference([[(0, 3, "person", 0.5)], []], installed) == difference


def test_requirements_are_read_from_the_wheel(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("a-1.dist-info/METADATA", "Name: a\nRequires-Dist: spacy-tokclf<1\nRequires-Dist: b\n\nText")
    assert requirements_of(tmp_path / "a.whl") == ["spacy-tokclf<1", "b"]


def test_the_probe_blocks_the_network(root, tmp_path):
    code = """
import socket, sys
sys.path.append(sys.argv[1])
import probe_installed
probe_installed.block_network()
there = ("127.0.0.1", 9)
for attempt in (
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: socket.socket().connect(there),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"", there),
):
    try:
        attempt()
    except probe_installed.NoNetworkError:
        print("refused")
"""
    command = [sys.executable, "-c", code, str(root / "scripts")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["refused"] * 3


def test_the_isolated_environment_has_no_caches(tmp_path, monkeypatch):
    for name in ("HF_HOME", "PYTHONPATH", "TRANSFORMERS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "/somewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    variables = isolated_variables(tmp_path)
    assert "/somewhere" not in variables.values() and variables["HOME"] == str(tmp_path)
    assert variables["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize(
    ("config", "section"),
    [("wnut17", "components.ner.model.tok2vec"), ("wnut17_shared", "components.transformer.model")],
)
def test_the_precision_reaches_the_encoder(root, config, section):
    overrides = precision_overrides(root / "configs" / f"{config}.cfg", "bf16")
    assert overrides == [f"--{section}.precision", "bf16"]


def test_fewer_steps_warm_up_for_less_time():
    assert steps_overrides(0) == []
    pairs = dict(zip(*[iter(steps_overrides(200))] * 2, strict=True))
    assert pairs == {
        "--training.max_steps": "200",
        "--training.eval_frequency": "50",
        "--training.optimizer.learn_rate.warmup_steps": "20",
    }


def test_as_many_epochs_with_dev(root):
    splits = {"train": {"posts": 3394}, "dev": {"posts": 1009}}
    config = root / "configs" / "wnut17.cfg"
    own = load_config(config)["training"]["max_steps"]
    steps = steps_with_dev(config, splits, 0)
    assert steps == steps_with_dev(config, splits, own) == round(own * 4403 / 3394)
    assert steps_with_dev(config, splits, 852) == 1105
    pairs = dict(zip(*[iter(steps_overrides(steps, evaluations=1))] * 2, strict=True))
    assert pairs["--training.eval_frequency"] == pairs["--training.max_steps"] == str(steps)


def test_every_score_on_test_is_noted(tmp_path):
    run = {"data": "sample", "config_sha256": "f00", "seed": 3, "versions": {}}
    for f1 in (0.5, 0.25):
        evaluate_model.note_test(tmp_path / "metrics" / "ledger.jsonl", run, {"overall_f1": f1})
    lines = [json.loads(line) for line in (tmp_path / "metrics" / "ledger.jsonl").read_text().splitlines()]
    assert [line["test_f1"] for line in lines] == [0.5, 0.25]
    assert all(line["seed"] == 3 and line["config_sha256"] == "f00" and line["time"] for line in lines)


def test_pages_about_dev_and_test(nlp, corpus, tmp_path, monkeypatch, capsys):
    model, metrics = tmp_path / "training" / "model-best", tmp_path / "metrics"
    model.parent.mkdir()
    nlp.to_disk(model)
    write_json(tmp_path / "data.json", {"source": "sample", "splits": {}})
    write_json(tmp_path / "encoder.json", {"encoder": "a/b", "files": None})
    write_json(metrics / "sample" / "test.json", {"overall_f1": 0.5})
    write_whole(metrics / "report_dev.html", b"of the other data")
    arguments = [model, "--corpus", corpus, "--metrics", metrics]
    arguments += ["--data", tmp_path / "data.json", "--encoder", tmp_path / "encoder.json"]
    monkeypatch.setattr(sys, "argv", ["write_reports.py", *map(str, arguments)])
    write_reports.main()
    assert sorted(path.name for path in metrics.iterdir()) == ["sample"]
    for split in ("dev", "test"):
        page = (metrics / "sample" / f"report_{split}.html").read_text()
        assert f"<title>training/model-best on {split}.spacy</title>" in page and "Seen in train.spacy or not" in page
    (line,) = (metrics / "sample" / "test_ledger.jsonl").read_text().splitlines()
    assert json.loads(line)["test_f1"] == 0.5


def test_one_split_alone(nlp, corpus):
    (corpus / "dev.spacy").unlink()
    assert set(evaluate_model.evaluate(nlp, corpus, ["test"])) == {"test", "raw_text", "speed"}


def test_an_export_is_checked(make_nlp, tmp_path, capsys):
    pipeline = make_nlp()
    pipeline.to_disk(tmp_path / "model")
    posts = [["Ada", "sings", "in", "Oslo"], ["\u200d"], ["ok"], 100 * ["long"]]
    checked = export_portable.export(tmp_path / "model", tmp_path / "hf", posts)
    assert checked["posts"] == 4 and checked["entities"] > 0 and checked["max_logit_difference"] < 1e-5
    assert (tmp_path / "hf" / "model.safetensors").is_file()
    # Another pipeline than the one that was exported.
    pipeline.get_pipe("ner").model.get_ref("output_layer").get_param("W")[...] *= 2
    assert export_portable.logit_difference(pipeline, tmp_path / "hf", posts) > 1e-3


def test_an_export_that_differs_is_refused(make_nlp, tmp_path, capsys, monkeypatch):
    pipeline = make_nlp()
    pipeline.to_disk(tmp_path / "model")
    posts = [["Ada", "sings", "in", "Oslo"]]
    monkeypatch.setattr(export_portable, "MAX_DIFFERENCE", -1.0)
    with pytest.raises(SystemExit):
        export_portable.export(tmp_path / "model", tmp_path / "hf", posts)
    assert "Logits differ by" in capsys.readouterr().out


def test_the_stamp_of_the_code_changes_with_the_code_alone(root, tmp_path):
    shutil.copytree(root / "spacy_tokclf", tmp_path / "spacy_tokclf")
    shutil.copytree(root / "scripts", tmp_path / "scripts")
    out = tmp_path / "code.json"

    def stamp():
        script = str(tmp_path / "scripts" / "stamp_code.py")
        subprocess.run([sys.executable, script, str(out), "errors", "tags"], check=True)
        return out.read_bytes()

    first = stamp()
    assert first == stamp()
    files = json.loads(first)["files"]
    assert {"errors.py", "tags/decode.py"} <= set(files) and {name.split("/")[0] for name in files} == {
        "errors.py",
        "tags",
    }
    assert json.loads(first)["versions"]["spacy"] == spacy.__version__
    (tmp_path / "spacy_tokclf" / "models" / "encoder.py").write_text("changed = True\n")
    assert first == stamp()
    (tmp_path / "spacy_tokclf" / "tags" / "new.py").write_text("new = True\n")
    second = stamp()
    assert set(json.loads(second)["files"]) == {*files, "tags/new.py"}
    (tmp_path / "spacy_tokclf" / "errors.py").write_text("changed = True\n")
    assert len({first, second, stamp()}) == 3


def test_an_unknown_room_is_refused(capsys):
    assert all(path.is_relative_to(PACKAGE / "tags") for path in sources(["tags"]))
    with pytest.raises(SystemExit):
        sources(["tags", "attic"])
    assert "There is no room 'attic'" in capsys.readouterr().out


@pytest.mark.parametrize(("asked", "meant"), [("", "auto"), ("fp32", "fp32"), ("bf16", "bf16")])
@pytest.mark.parametrize("name", ["wnut17", "wnut17_shared"])
def test_what_computes_is_described(root, name, asked, meant):
    config = load_config(root / "configs" / f"{name}.cfg")
    cpu = torch.device("cpu")
    found = describe_compute(config, precision=asked)
    assert found == {"threads": torch.get_num_threads(), **describe_products(meant, cpu)}
    assert found["device"] == "cpu" and found["precision"] in ("fp32", "bf16") and "cpu_vendor" in found


def test_the_device_that_computes(root, monkeypatch):
    config = spacy.blank("en").config
    assert describe_compute(config)["device"] == "cpu"
    assert describe_compute(config, gpu_id=1) == {"threads": torch.get_num_threads(), "device": "cuda:1"}
    monkeypatch.setenv("SPACY_TOKCLF_DEVICE", "meta")
    assert describe_compute(config, gpu_id=1)["device"] == "meta"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("module", [train, evaluate_model, write_reports])
@pytest.mark.parametrize("options", [["--device", "cuda:0"], ["--gpu-id", "0"], ["--device", "cpu", "--gpu-id", "0"]])
def test_a_gpu_that_is_not_there(module, options, root, tmp_path, monkeypatch, capsys):
    write_json(tmp_path / "data.json", {"source": "wnut17", "splits": {}})
    config, out = str(root / "configs" / "wnut17.cfg"), str(tmp_path / "out")
    arguments = [config, out, "--encoder", "e"] if module is train else [out]
    monkeypatch.setattr(sys, "argv", ["script.py", *arguments, "--data", str(tmp_path / "data.json"), *options])
    with pytest.raises(SystemExit):
        module.main()
    said = capsys.readouterr().out
    assert "[TC562]" in said if "cpu" in options else "[TC14" in said


class Commands:
    """Runs nothing, and remembers the commands."""

    def __init__(self, out):
        self.out, self.ran = out, []

    def __call__(self, command, *, check):
        self.ran.append([str(part) for part in command[1:]])
        for name in ("model-best", "model-last") if "train" in command else ():
            (self.out / name).mkdir(parents=True, exist_ok=True)
        return subprocess.CompletedProcess(command, 0)


@pytest.mark.parametrize(
    ("options", "tuned"),
    [
        ([], None),
        (["--tune"], ["{out}/model-best", "corpus/dev.spacy", "--no-bias"]),
        (["--tune", "--device", "cpu"], ["{out}/model-best", "corpus/dev.spacy", "--no-bias", "--device", "cpu"]),
        (["--with-dev"], None),
        (["--with-dev", "--tuned-like", "other/model-best"], ["{out}/model-last", "--like", "other/model-best"]),
    ],
)
def test_tuning_after_training(options, tuned, root, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    splits = {split: {"posts": 10} for split in ("train", "dev")}
    write_json(tmp_path / "data.json", {"source": "wnut17", "splits": splits})
    commands = Commands(out)
    monkeypatch.setattr(train.subprocess, "run", commands)
    config, data = root / "configs" / "wnut17.cfg", tmp_path / "data.json"
    arguments = [str(config), str(out), "--encoder", "e", "--data", str(data)]
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments, *options])
    train.main()
    assert commands.ran[0][:4] == ["-m", "spacy", "tokclf", "train"] and "--overwrite" in commands.ran[0]
    rate = "--training.optimizer.learn_rate.initial_rate"
    assert commands.ran[0][commands.ran[0].index(rate) + 1] == "5e-05", "the encoder is not the embedded one"
    written = json.loads((out / "time.json").read_text())
    assert written["compute"] == describe_compute(load_config(config)) and written["seconds"] >= 0
    assert f"precision {written['compute']['precision']}" in " ".join(capsys.readouterr().out.split())
    expected = [part.format(out=out) for part in tuned or []]
    report = ["--report", str(out / "tuning.json")]
    assert commands.ran[1:] == ([["-m", "spacy", "tokclf", "tune", *expected, *report]] if tuned else [])
    assert (out / "model-best").is_dir() == ("--with-dev" not in options)


def test_the_rate_of_the_recipe_is_for_its_encoder():
    assert train.rate_overrides("assets/encoder") == train.rate_overrides("./assets/encoder") == []
    assert len(train.rate_overrides("distilbert/distilbert-base-uncased")) == 2


def test_dev_does_not_tune_what_was_trained_on_it(root, tmp_path, monkeypatch, capsys):
    commands = Commands(tmp_path)
    monkeypatch.setattr(train.subprocess, "run", commands)
    monkeypatch.setattr(sys, "argv", ["train.py", "a.cfg", str(tmp_path), "--encoder", "e", "--with-dev", "--tune"])
    with pytest.raises(SystemExit):
        train.main()
    assert not commands.ran and "--tuned-like" in capsys.readouterr().out


@pytest.mark.parametrize(("bias", "changed"), [(0.0, 1), (-5.0, 0)])
def test_tokens_that_constrained_decoding_changes(bias, changed):
    """`O I-x O` is no valid sequence: one tag gives way, unless a bias has made it `O` before."""
    logits = [np.array([[2.0, 0.0, 1.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]], dtype="float32")]
    pipe = SimpleNamespace(
        tuning=Tuning(bias={"x": bias}),
        tag_table=make_tag_table(["O", "B-x", "I-x"], "IOB2"),
        transitions=None,
        logits=lambda docs: logits,
    )
    doc = Doc(spacy.blank("en").vocab, words=["see", "Oslo", "now"])
    assert compare_decoders.count_changed(pipe, [doc]) == (changed, 3)


def test_texts_in_a_row_keep_their_entities():
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=["see", f"Oslo{i}"], ents=["O", "B-place"]) for i in range(5)]
    long = compare_windows.join_texts(docs, 2)
    assert [len(doc) for doc in long] == [4, 4, 2]
    assert [ent.text for doc in long for ent in doc.ents] == [f"Oslo{i}" for i in range(5)]
    assert {ent.label_ for doc in long for ent in doc.ents} == {"place"}

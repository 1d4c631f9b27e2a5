"""What `init` makes of data: the same texts, a config that trains as it is, and nothing where it cannot."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import spacy
from data_forms import FORMS
from spacy.cli.train import train as spacy_train
from spacy.tokens import DocBin
from spacy.util import load_config

from spacy_tokclf.corpus import doc_to_record
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.start import project
from spacy_tokclf.start.pieces import load_shim
from spacy_tokclf.start.project import CONFIG, DEV, TRAIN, prepare_project, start_project

NLP = spacy.blank("en")


def records(*files):
    """The words and tags of texts, however often each is there."""
    docs = (doc for file in files for doc in read_any(file, NLP))
    return Counter((tuple(record.words), tuple(record.tags)) for record in map(doc_to_record, docs))


@pytest.fixture(scope="module")
def loaded(encoder_dir):
    """The encoder, loaded once for many projects."""
    return load_shim(str(encoder_dir))


@pytest.mark.filterwarnings("ignore:.*TW1")
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_train_and_dev_have_what_convert_reads(form, texts, tmp_path, encoder_dir, loaded, monkeypatch):
    monkeypatch.setattr(project, "load_shim", lambda name: loaded)
    data, options = form.save(texts, tmp_path), ReadOptions(**form.options or {})
    read = Counter(
        (tuple(record.words), tuple(record.tags)) for record in map(doc_to_record, read_any(data, NLP, options))
    )
    start_project(str(data), tmp_path / "out", encoder=str(encoder_dir), options=options)
    train, dev = tmp_path / "out" / TRAIN, tmp_path / "out" / DEV
    assert records(train, dev) == read and records(train).total() > records(dev).total() > 3


def test_the_config_trains_as_it_is(doccano, project_folder, encoder_dir, tmp_path, monkeypatch):
    """`spacy train` fills in all that is not said, from another folder; the pipeline knows none of the paths."""
    monkeypatch.chdir(tmp_path)
    config = start_project("data/a.jsonl", "project", encoder=os.path.relpath(encoder_dir), epochs=1)
    assert config == Path("project") / CONFIG
    lines = [line for line in config.read_text(encoding="utf-8").splitlines() if line and line[0] not in "#["]
    assert len(lines) <= 30
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    spacy_train("../project/config.cfg", "out")
    nlp = spacy.load("out/model-best")
    saved = nlp.config.to_str()
    assert str(tmp_path) not in saved and str(encoder_dir.parent) not in saved
    assert nlp.get_pipe("ner").labels == ("LOC", "PER")
    training = nlp.config["training"]
    assert training["max_steps"] == training["eval_frequency"] == 3
    assert training["optimizer"]["@optimizers"] == "spacy-tokclf.AdamW.v1"
    assert set(Path("out/model-best").iterdir()) and nlp("Anna met Ben.").has_annotation("ENT_IOB")


def test_what_the_config_says(doccano, project_folder, make_encoder):
    start_project(doccano, project_folder, encoder=str(make_encoder("roberta")), epochs=7, lang="de")
    config = load_config(project_folder / CONFIG, interpolate=True)
    assert config["nlp"] == {"lang": "de", "pipeline": ["ner"]}
    encoder = config["components"]["ner"]["model"]["tok2vec"]
    assert encoder == {"@architectures": "spacy-tokclf.TransformerEncoder.v1", "window": 64, "overlap": 8}
    assert config["initialize"]["after_init"] == {"@callbacks": "spacy-tokclf.epochs.v1", "epochs": 7}
    assert config["training"]["optimizer"]["learn_rate"]["initial_rate"] == 5e-5
    assert Path(config["paths"]["train"]) == project_folder / TRAIN


def test_dev_of_its_own(doccano, texts, project_folder, encoder_dir, tmp_path):
    dev = next(form for form in FORMS if form.name.startswith("CoNLL: tabs")).save(texts[:6], tmp_path)
    start_project(doccano, project_folder, encoder=str(encoder_dir), dev=str(dev))
    assert records(project_folder / TRAIN).total() == len(texts)
    assert records(project_folder / DEV) == records(dev)


def test_equal_texts_are_on_one_side(texts, project_folder, encoder_dir, tmp_path):
    rows = [{"text": t.text.upper() if i % 2 else t.text, "label": t.chars} for t in texts for i in range(3)]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    start_project(str(data), project_folder, encoder=str(encoder_dir))
    sides = [
        {"".join(doc.text.split()).lower() for doc in DocBin().from_disk(project_folder / name).get_docs(NLP.vocab)}
        for name in (TRAIN, DEV)
    ]
    assert all(sides) and not sides[0] & sides[1]


@pytest.mark.parametrize(
    ("lang", "form", "place"),
    [
        ("zh", "王小明去了北京{}。", "北京"),
        ("ar", "سافر أحمد إلى القاهرة {} .", "القاهرة"),
        ("xx", "Zoë fuhr nach Wien {}.", "Wien"),
    ],
)
def test_other_languages(lang, form, place, project_folder, encoder_dir, tmp_path):
    at = form.index(place)
    rows = [{"text": form.format(i), "label": [[at, at + len(place), "LOC"]]} for i in range(12)]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    made = prepare_project(str(data), encoder=str(encoder_dir), lang=lang)
    assert {ent.text for doc in [*made.train, *made.dev] for ent in doc.ents} == {place}
    assert load_config(made.write(project_folder))["nlp"]["lang"] == lang
    if lang == "zh":
        with pytest.raises(ValueError, match=r"TC335.*'en'.*--lang zh"):
            prepare_project(str(data), encoder=str(encoder_dir))


def test_ja_with_or_without_its_package(texts, doccano, encoder_dir):
    try:
        spacy.blank("ja")
    except ImportError:
        with pytest.raises(ValueError, match=r"TC140.*pip install spacy\[ja\]"):
            prepare_project(doccano, encoder=str(encoder_dir), lang="ja")
    else:
        assert prepare_project(doccano, encoder=str(encoder_dir), lang="ja").lang == "ja"


def test_texts_without_blanks_and_another_tokenizer(encoder_dir, tmp_path):
    """Of tokens and tags nothing is masked, so the letters have to tell."""
    data = tmp_path / "a.conll"
    data.write_text("".join(f"王\tB-PER\n去\tO\n北\tB-LOC\n京\tI-LOC\n{i}\tO\n\n" for i in range(20)), encoding="utf-8")
    said = prepare_project(str(data), encoder=str(encoder_dir)).findings.warnings
    assert any("no blanks between words" in text and "--lang zh" in text for text in said)
    said = prepare_project(str(data), encoder=str(encoder_dir), lang="zh").findings.warnings
    assert not any("no blanks" in text for text in said)


def test_a_type_that_dev_cannot_have(texts, encoder_dir, tmp_path):
    rows = [{"text": text.text, "label": text.chars} for text in texts] + [{"text": "Odd one", "label": [[0, 3, "X"]]}]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said = prepare_project(str(data), encoder=str(encoder_dir)).findings.warnings
    assert any("no score tells how well they do: X" in text for text in said)


class TestFailures:
    """Each has a code, and leaves nothing."""

    @pytest.fixture
    def fails(self, doccano, project_folder, encoder_dir):
        def check(code, data=doccano, **settings):
            with pytest.raises((ValueError, OSError), match=code):
                start_project(data, project_folder, **{"encoder": str(encoder_dir), **settings})
            assert not project_folder.exists()

        return check

    def test_settings(self, fails):
        fails("TC337", dev="1.5")
        fails("TC337", dev=0.0)
        fails("TC337", dev="20")
        fails("TC169", dev="no-such-file.jsonl")
        fails("TC340", epochs=0)
        fails("TC139", lang="qq")

    def test_encoder(self, fails, tmp_path):
        fails("TC010", encoder=str(tmp_path))
        fails("TC284", encoder="no-such/encoder")

    def test_data(self, fails, tmp_path):
        fails("TC169", str(tmp_path / "no-such.jsonl"))
        fails("TC118", "no-such.conll")
        (tmp_path / "few.jsonl").write_text('{"text": "Anna", "label": [[0, 4, "PER"]]}\n' * 50)
        fails("TC336", str(tmp_path / "few.jsonl"))
        (tmp_path / "none.conll").write_text("".join(f"w{i}\tO\n\n" for i in range(50)))
        fails("TC334.*not one entity", str(tmp_path / "none.conll"))
        (tmp_path / "parts.jsonl").write_text(
            "".join(f'{{"text": "Xann{i} met", "label": [[1, 4, "PER"]]}}\n' for i in range(50))
        )
        fails("TC335", str(tmp_path / "parts.jsonl"))

    def test_place(self, doccano, project_folder, encoder_dir):
        project_folder.mkdir()
        (project_folder / DEV).write_text("mine")
        (project_folder / "notes.txt").write_text("mine")
        with pytest.raises(ValueError, match=r"TC338.*dev\.spacy.*--force"):
            start_project(doccano, project_folder, encoder=str(encoder_dir))
        assert {path.name for path in project_folder.iterdir()} == {DEV, "notes.txt"}
        start_project(doccano, project_folder, encoder=str(encoder_dir), force=True)
        assert {path.name for path in project_folder.iterdir()} == {CONFIG, TRAIN, DEV, "notes.txt"}

    def test_a_path_that_no_config_can_hold(self, doccano, tmp_path, encoder_dir):
        with pytest.raises(ValueError, match="TC339"):
            start_project(doccano, tmp_path / "a${b}", encoder=str(encoder_dir))
        assert not (tmp_path / "a${b}").exists()

    def test_odd_paths_that_it_can(self, doccano, tmp_path, encoder_dir):
        out = tmp_path / 'with blank, "quotes", {braces}, 100% # é'
        config = start_project(doccano, out, encoder=str(encoder_dir))
        assert load_config(config, interpolate=True)["paths"]["dev"] == str(out / DEV)


@pytest.mark.slow
def test_the_same_data_give_the_same_texts(doccano, tmp_path, encoder_dir):
    """In another process, whose sets have another order, too."""
    here, there = tmp_path / "here", tmp_path / "there"
    start_project(doccano, here, encoder=str(encoder_dir))
    code = (
        "import sys; from spacy_tokclf.start.project import start_project as s; s(*sys.argv[1:3], encoder=sys.argv[3])"
    )
    command = [sys.executable, "-c", code, doccano, str(there), str(encoder_dir)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True)
    for name in (TRAIN, DEV):
        assert records(here / name) == records(there / name)

import json
import re
from pathlib import Path

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import Doc, Span
from typer.testing import CliRunner

import spacy_tokclf.cli  # noqa: F401
from spacy_tokclf.corpus import Record, write_conll, write_docbin
from spacy_tokclf.corpus.data_facts import data_facts
from spacy_tokclf.corpus.forms.docbin import write_docs
from spacy_tokclf.start.pieces import encoder_in_config

CONFIGS = Path(__file__).parents[2] / "configs"
POSTS = [Record([f"w{i}", "in", "Rome"], ["O", "O", "B-loc"]) for i in range(12)]


def debug(*arguments):
    """Run the command; give the exit code and what it said, on one line."""
    result = CliRunner().invoke(app, ["tokclf", "debug", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split())


@pytest.fixture
def data(tmp_path):
    """Write records to a CoNLL file and return its path."""

    def write(records=POSTS, name="train.conll"):
        write_conll(records, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def jsonl(tmp_path):
    """Write texts of length 20 with spans to a file and return its path."""

    def write(*labels, text="Ada saw New York now"):
        rows = [{"text": f"{text} {i}", "label": list(spans)} for i, spans in enumerate(labels)]
        path = tmp_path / "train.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


def test_data_in_order(data, tmp_path):
    dev = [Record(["a", *post.words], ["-", *post.tags]) for post in POSTS[:3]]
    code, said = debug(data(), "--dev", data(dev, "dev.conll"), "--json", tmp_path / "x.json", "--strict")
    assert code == 0
    assert "Nothing to object to" in said
    assert "train 12 36 0 0 0 12" in said and "dev 3 12 3 0 0 3" in said and "loc 12 3" in said
    found = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert found["train"]["entities_per_type"] == {"loc": 12}
    assert (found["dev"]["missing"], found["errors"], found["warnings"], found["pieces"]) == (3, [], [], {})


def test_counts_and_places():
    nlp = spacy.blank("en")
    blank = Doc(nlp.vocab, words=["a", "\n", "b"], spaces=[False] * 3)
    blank.ents = [Span(blank, 0, 2, label="X")]
    odd = Doc(nlp.vocab, words=["see", "Yorkshire", "'", "s"], spaces=[True, False, False, False])
    odd.ents = [Span(odd, 1, 4, label="Y"), Span(odd, 0, 1, label="X")]
    cut = Doc(nlp.vocab, words=["do", "n", "'t"], spaces=[False] * 3)
    cut.ents = [Span(cut, 0, 2, label="Z")]
    plain = nlp("a b")
    plain.set_ents([], missing=[plain[:1]])
    again = Doc(nlp.vocab, words=["a", "b"])
    again.set_ents([])
    facts = data_facts([blank, odd, cut, plain, again, nlp(""), nlp("no gold")], nlp)
    assert (facts.texts, facts.tokens, facts.missing, facts.empty, facts.without_entities) == (7, 16, 1, 1, 2)
    assert facts.entities == {"X": 2, "Y": 1, "Z": 1}
    assert facts.unannotated == ["document 6: 'no gold'"]
    assert facts.blank_ends == ["document 0 (0, 2, 'X') 'a\\n'"]
    assert facts.misaligned == ["document 2 (0, 3, 'Z') 'don'"]
    assert facts.repeated == ["document 3 (as 0): 'a b'", "document 4 (as 0): 'a b'"]
    assert facts.contradictory == facts.repeated
    assert facts.shared_with(facts) and not data_facts([odd], nlp).shared_with(data_facts([cut], nlp))


@pytest.mark.parametrize(
    "records, says",
    [
        ([Record(["a"], ["O"])] * 3, "train: not one entity"),
        ([Record(["a"], ["-"])], "TC174"),
    ],
)
def test_errors_end_with_code_1(data, records, says):
    code, said = debug(data(records))
    assert (code, says in said) == (1, True)


def test_overlapping_spans_are_an_error_with_place_and_text(jsonl):
    path = jsonl([[0, 3, "PER"]], [[8, 16, "LOC"], [12, 16, "ORG"]])
    code, said = debug(path)
    assert code == 1
    assert f"1 span(s) overlap another, which training refuses unless told which to keep: {path}:2" in said
    assert "(12, 16, 'ORG') 'York'" in said


def test_warnings_have_places_and_fail_only_if_strict(jsonl):
    path = jsonl(*[[[0, 3, "PER"]]] * 10, [[12, 15, "PER"]], [[7, 16, "PER"]], [[3, 4, "PER"]])
    for strict in ([], ["--strict"]):
        code, said = debug(path, *strict)
        assert code == bool(strict)
        assert "train: 1 of 13 spans do not fit the tokens, which they touch in part, and are masked" in said
        assert f"masked: {path}:11 (12, 15, 'PER') 'Yor'" in said
        assert (
            f"1 of 13 spans began or ended with white space, which was trimmed: {path}:12 (7, 16, 'PER') ' New York'"
            in said
        )
        assert "1 of 13 spans held white space only" in said
        assert "TW110" not in said


def test_warnings_of_marks_that_are_not_learned_and_of_labels_like_tags(tmp_path):
    rows = [
        {"text": "Ada lives in New York", "label": [[0, 3, "B-PER"], [13, 21, "I-PER"]]},
        {"text": "Ada lives in New York", "label": [[0, 3, "B-PER"], [13, 21, ""]], "relations": [{"id": 1}]},
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    code, said = debug(str(path))
    assert code == 0
    assert "train: 1 marks are no entities that could be learned (no label: 1)" in said
    assert f"{path}:2 (13, 21, 'no label') 'New York'" in said
    assert "labels of spans that look like tags of tokens: B-PER; I-PER" in said


def test_warnings_of_labels_repeats_and_leaks(data):
    train = [*POSTS, POSTS[0], Record(POSTS[1].words, ["O", "O", "O"]), Record(["Bo"], ["B-per"])]
    code, said = debug(data(train), "--dev", data([POSTS[4], Record(["x"], ["B-new"])], "dev.conll"))
    assert code == 0
    assert "train: 1 type(s) with fewer than 10 entities: per (1)" in said
    assert "dev: 1 type(s) that train does not have: no model can find them: new" in said
    assert "1 of 2 texts of dev are in train too: scores flatter: document 0 (there 4): 'w4 in Rome" in said
    assert "train: 1 texts that repeat an earlier one, with other entities: document 13 (as 1)" in said
    assert "2 of 15 texts repeat an earlier one: document 12 (as 0)" in said


def test_texts_without_annotation(tmp_path):
    nlp = spacy.blank("en")
    write_docbin(POSTS, tmp_path / "x.spacy")
    docs = [*spacy.tokens.DocBin().from_disk(tmp_path / "x.spacy").get_docs(nlp.vocab), nlp("nobody looked")]
    write_docs(docs, tmp_path / "x.spacy")
    code, said = debug(tmp_path / "x.spacy")
    assert code == 0
    assert "train: 1 texts without any annotation, which teach nothing: document 12: 'nobody looked'" in said


def test_what_the_encoder_sees(data, encoder_dir):
    records = [*POSTS, Record(["\ufe0f", "䷀", "x" * 90, "a" * 200], ["O", "O", "O", "O"])]
    code, said = debug(data(records), "--encoder", encoder_dir)
    assert code == 0
    assert "1 word(s) have no piece, so the encoder sees nothing of them: '\\ufe0f'" in said
    assert f"1 word(s) have more pieces than a window of 64 and are seen in part: {'x' * 40}" in said
    assert "1 text(s) take more than one window of 64" in said
    code, said = debug(data([Record(["䷀", "Rome"], ["O", "B-loc"])] * 9), "--encoder", encoder_dir)
    assert "% of the word pieces are unknown" in said
    code, said = debug(data(), "--encoder", "no/such-encoder")
    assert code == 1 and "TC284" in said


def test_config_names_language_and_encoder(data, encoder_dir, tmp_path):
    config = CONFIGS / "wnut17.cfg"
    overrides = ["--paths.encoder", encoder_dir, "--training.optimizer.learn_rate.initial_rate", "0.001"]
    code, said = debug(data(), config, *overrides, "--json", tmp_path / "x.json")
    assert code == 0
    assert "training.optimizer.learn_rate is 0.001; an encoder is fine-tuned at 1e-5 to 0.0005" in said
    found = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert found["pieces"]["encoder"] == str(encoder_dir)
    assert found["pieces"]["window"] == 64


@pytest.mark.parametrize("name", ["wnut17.cfg", "wnut17_shared.cfg"])
def test_encoder_of_the_shipped_configs(name):
    config = spacy.util.load_config(CONFIGS / name, overrides={"paths.encoder": "some/encoder"}, interpolate=True)
    assert encoder_in_config(config) == ("some/encoder", None, 128)
    assert encoder_in_config({"nlp": {"lang": "en"}}) == (None, None, 0)


def test_faulty_files_end_with_code_1(tmp_path, data):
    for path, code in ((tmp_path / "no.conll", "TC118"), (tmp_path / "no.jsonl", "TC169")):
        assert debug(path)[0] == 1 and code in debug(path)[1]
    assert debug(data(), "--scheme", "IOE2") == (1, debug(data(), "--scheme", "IOE2")[1])

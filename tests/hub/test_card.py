"""The model card: what the Hub reads, and what people read."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from huggingface_hub import ModelCard
from pushed import REPO, SCORES
from spacy.lang.en.examples import sentences
from spacy.language import Language
from thinc.api import Config

from spacy_tokclf.export import export_hf
from spacy_tokclf.hub.card import card_metadata, write_card
from spacy_tokclf.hub.card_facts import collect_facts
from spacy_tokclf.hub.markdown import escape, inline

WHEEL = "en_tiny_ner-1.2.0-py3-none-any.whl"


@pytest.fixture
def make_card(tree: Path, tmp_path: Path) -> Callable[..., ModelCard]:
    """Give a function that writes a pipeline's card and reads it as the Hub's own library does."""

    def make(nlp: Language, *, checkpoint: bool = True, **settings: Any) -> ModelCard:
        folder = tmp_path / f"card{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        if checkpoint:
            export_hf(nlp, folder)
        (folder / WHEEL).write_bytes((tree / WHEEL).read_bytes())
        write_card(collect_facts(nlp, folder, REPO, **settings), folder)
        card = ModelCard.load(folder / "README.md")
        assert str(tmp_path) not in str(card)
        return card

    return make


def test_what_the_hub_reads(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    data = make_card(trained).data
    assert (data.language, data.license, data.library_name) == (["en"], "cc-by-sa-4.0", "transformers")
    assert data.pipeline_tag == "token-classification" and {"spacy", "token-classification"} <= set(data.tags)
    assert data.metrics == ["precision", "recall", "f1", "accuracy"]
    assert data.model_name == "tiny-ner"
    found = {result.metric_type: result.metric_value for result in data.eval_results}
    assert found == {"precision": 0.6127, "recall": 0.34, "f1": 0.4374, "accuracy": 0.9448}
    assert {result.task_type for result in data.eval_results} == {"token-classification"}
    assert {result.dataset_split for result in data.eval_results} == {"validation"}
    texts = [example["text"] for example in data.widget]
    assert len(set(texts)) == 3 and set(texts) <= set(sentences)
    assert "base_model" not in data.to_dict() and "datasets" not in data.to_dict()


def test_what_people_read(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    text = make_card(trained).text.lstrip()
    address = f"https://huggingface.co/{REPO}/resolve/main/{WHEEL}"
    assert text.startswith("# tiny-ner\n") and f"pip install {address}\n" in text
    assert f'pipeline("ner", model="{REPO}"' in text and f"import-hf {REPO} OUT`" in text
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    both = ["Use with spaCy", "Use with Transformers"]
    assert headings == [*both, "Scores", "Training", "Data and licences", "Limits", "Still to be filled in"]
    assert "| 61.27 | 34.00 | 43.74 | 94.48 |" in text and "| `person` | 70.00 | 50.00 | 60.00 |" in text
    assert "English text" in text and "`location`, `person`" in text and "spacy-tokclf" in text
    assert "CC BY-SA 4.0" in text and "after 64 of them" in text


def test_the_hyperparameters_are_those_of_the_pipeline(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    trained.config["training"]["optimizer"] = {"@optimizers": "spacy-tokclf.AdamW.v1", "learn_rate": 3e-5}
    trained.config["training"]["dropout"] = 0.15
    (block,) = re.findall(r"```ini\n(.*?)```", make_card(trained).text, re.DOTALL)
    training = Config().from_str(block)["training"]
    assert training["dropout"] == 0.15 and training["optimizer"]["learn_rate"] == pytest.approx(3e-5)
    whole = trained.config.interpolate()["training"]
    assert all(training[key] == json.loads(json.dumps(whole[key])) for key in training) and len(training) == 9


def test_the_code_in_it_runs(
    trained: Language, make_card: Callable[..., ModelCard], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    text = make_card(trained).text
    code, _ = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.setattr(spacy, "load", lambda name: trained if name == "en_tiny_ner" else None)
    capsys.readouterr()
    exec(code, {})
    (printed,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    assert capsys.readouterr().out == printed != ""


def test_entities_of_another_component_have_no_score(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    ruler: Any = trained.add_pipe("entity_ruler", config={"overwrite_ents": True})
    patterns = [{"label": "country", "pattern": word} for text in sentences for word in text.split()]
    ruler.add_patterns(patterns)
    text = make_card(trained).text
    assert " country\n" in text
    assert "print(ent.text, ent.label_)\n" in text and "entity_score" not in text


def test_without_scores_nothing_is_made_up(nlp: Language, make_card: Callable[..., ModelCard]) -> None:
    card = make_card(nlp)
    assert {"model-index", "metrics", "license"}.isdisjoint(card.data.to_dict())
    assert "holds no scores" in card.text and "hyperparameters are not known" in card.text
    assert "No licence is stated" in card.text and "does not say what it was trained on" in card.text


def test_without_checkpoint(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    card = make_card(trained, checkpoint=False)
    assert card.data.library_name == "spacy" and card.data.pipeline_tag == "token-classification"
    assert "`--wheel-only`" in card.text and "Use with Transformers" not in card.text
    assert "import-hf" not in card.text and 'pipeline("ner")' not in card.text


def test_a_pipeline_without_our_component(make_card: Callable[..., ModelCard]) -> None:
    nlp = spacy.blank("xx")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "country", "pattern": "Deutschland"}])
    card = make_card(nlp, checkpoint=False)
    assert card.data.language == ["multilingual"] and "multilingual text" in card.text
    assert "Deutschland country\n" in card.text and "`country`" in card.text and "Encoder" not in card.text


def test_a_language_without_examples(make_nlp: Callable[..., Language], make_card: Callable[..., ModelCard]) -> None:
    card = make_card(make_nlp(lang="is", labels=["x"]))
    assert card.data.widget == [] and "doc = nlp('...')" in card.text
    assert card.data.language == ["is"]


def test_a_branch(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    text = make_card(trained, revision="v/2").text
    assert f"/resolve/v%2F2/{WHEEL}" in text and "--revision v/2" in text and 'revision="v/2"' in text


def test_where_it_comes_from(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    """From the config, if it names what is on the Hub; a path of this machine is not told."""
    reader = {"@readers": "spacy-tokclf.HFDataset.v1", "path": "leondz/wnut_17", "split": "train"}
    trained.config["corpora"]["train"] = reader
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": "distilbert/distilbert-base-uncased"}
    trained.config["initialize"]["components"]["ner"]["encoder"] = loader
    card = make_card(trained)
    assert card.data.base_model == "distilbert/distilbert-base-uncased" and card.data.datasets == ["leondz/wnut_17"]
    assert {(r.dataset_type, r.dataset_name) for r in card.data.eval_results} == {("leondz/wnut_17", "leondz/wnut_17")}
    assert "huggingface.co/datasets/leondz/wnut_17" in card.text
    loader["name"], reader["path"] = "/some/folder", "corpus/train.parquet.d/x"
    card = make_card(trained)
    assert {"base_model", "datasets"}.isdisjoint(card.data.to_dict()) and "/some/folder" not in card.text


def test_sources_in_the_meta(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    trained.meta["sources"] = [
        {"name": "Some model", "url": "https://huggingface.co/ada/enc", "author": "Ada", "license": "MIT"},
        {"name": "Some data", "url": "https://huggingface.co/datasets/ada/data", "author": "", "license": "CC0"},
        {"name": "A | book", "url": "", "author": "Bob", "license": ""},
    ]
    trained.meta["license"] = "Ada's own"
    card = make_card(trained)
    assert (card.data.base_model, card.data.datasets) == ("ada/enc", ["ada/data"])
    rows = ["| [Some model](https://huggingface.co/ada/enc) | Ada | MIT |", "| A \\| book | Bob |  |"]
    assert all(row in card.text for row in rows)
    data = card.data.to_dict()
    assert (data["license"], data["license_name"], data["license_link"]) == ("other", "ada's-own", "README.md")


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ("MIT", "mit"),
        ("Apache-2.0", "apache-2.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("GNU GPL 3.0", "gpl-3.0"),
        ("  ", None),
    ],
)
def test_licences(trained: Language, tree: Path, stated: str, known: str | None) -> None:
    trained.meta["license"] = stated
    data = card_metadata(collect_facts(trained, tree, REPO)).to_dict()
    assert data.get("license") == known and "license_name" not in data


def test_what_is_still_to_be_filled_in(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    """What meta.json says is no longer asked for; once it says all, nothing is."""
    told = {
        "description": "Finds people in letters.",
        "license": "MIT",
        "author": "Ada",
        "sources": [{"name": "Letters", "url": "", "author": "Bob", "license": "CC0"}],
        "notes": "Not for medical texts.\n\nLetters of the 19th century only.",
    }
    trained.meta["license"] = ""
    for known in range(len(told) + 1):
        trained.meta.update(dict(list(told.items())[:known]))
        _, _, asked = make_card(trained, checkpoint=False).text.partition("## Still to be filled in")
        assert re.findall(r": `(\w+)`$", asked, re.MULTILINE) == [key for key in told if key not in list(told)[:known]]
        assert bool(asked) == (known < len(told))
    text = make_card(trained, checkpoint=False).text
    assert "\n\nNot for medical texts.\n\nLetters of the 19th century only.\n\n" in text


def test_examples_of_one_s_own(trained: Language, make_card: Callable[..., ModelCard]) -> None:
    texts = ["Ada Lovelace lives in London.", "Ada Lovelace lives in London.", "x" * 301, "Oslo"]
    card = make_card(trained, examples=texts)
    assert {example["text"] for example in card.data.widget} == set(texts)
    assert "The licence of the model is not theirs" in card.text and "spaCy's own" not in card.text
    assert "spaCy's own for the language" in make_card(trained).text


def test_whatever_is_in_it_stays_text(make_card: Callable[..., ModelCard]) -> None:
    """Markdown, HTML, YAML and Jinja in labels, names and texts."""
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler", name="<i>`|")
    label, text = "a|<b>`x`_y", "London ```\n---\nx: {{ 7*7 }} <b>"
    ruler.add_patterns([{"label": label, "pattern": "London"}])
    evil = "- <script>a()</script> *b* {{ 7*7 }} [c](javascript:d)\n---\n# e | ~f~"
    sources = [{"name": evil, "url": "javascript:a()"}, {"name": "g", "url": "https://h.i/?j=(k) |&l"}]
    per_type = {label: {"p": 0.1, "r": 0.2, "f": 0.3}}
    scores = {"ents_f": 0.5, "ents_per_type": per_type}
    nlp.meta.update(description=evil, license=evil, author=evil, notes=evil, sources=sources, performance=scores)
    card = make_card(nlp, checkpoint=False, examples=[text])
    assert [example["text"] for example in card.data.widget] == [text]
    outside = re.sub(r"(`{3,})\w+\n.*?\n\1", "", card.text, flags=re.DOTALL)
    outside = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)  # nor in spans of code
    assert "<" not in outside and "\n---" not in outside and "\n- " not in outside
    assert not re.search(r"(?<!\\)\]\(javascript", outside)
    assert outside.count(r"{{ 7\*7 }}") == 6 and "49" not in card.text
    assert "[g](https://h.i/?j=%28k%29%20%7C&amp;l)" in outside
    assert f"``{label.replace('|', chr(92) + '|')}`` | 10.00 | 20.00 | 30.00 |" in card.text
    (code,) = re.findall(r"````python\n(.*?)\n````", card.text, re.DOTALL)
    assert repr(text) in code
    rows = [line for line in outside.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows if "Author" in row or "Licence" in row} == {3}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 0.5", "plain 0.5"),
        ("1. a", "1\\. a"),
        ("#tag", "#tag"),
        ("## a", "\\## a"),
        ("a_b\n*c*", "a\\_b \\*c\\*"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_escaping(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("a", "`a`"), ("a`b", "``a`b``"), ("`a``", "``` `a`` ```")])
def test_code_in_a_line(text: str, shown: str) -> None:
    assert inline(text) == shown


def test_scores_under_a_prefix(make_nlp: Callable[..., Language], tree: Path) -> None:
    scorer = {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": "a_"}
    nlp = make_nlp(config={"scorer": scorer})
    nlp.meta["performance"] = {f"a_{key}": value for key, value in SCORES.items()} | {"ents_f": 0.1}
    assert collect_facts(nlp, tree, REPO).scores["f1"] == SCORES["ents_f"]

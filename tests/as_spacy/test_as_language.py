"""The language's own tokenizer."""

import warnings
from pathlib import Path

import pytest
import spacy
from config_runs import ELSEWHERE, FOLDER, NAMES
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.training import Example
from spacy.util import load_config, load_config_from_str, load_model_from_config

OWN = {
    "ja": "spacy.ja.JapaneseTokenizer",
    "zh": "spacy.zh.ChineseTokenizer",
    "ko": "spacy.ko.KoreanTokenizer",
    "th": "spacy.th.ThaiTokenizer",
    "vi": "spacy.vi.VietnameseTokenizer",
}


@pytest.mark.parametrize("name", sorted({*NAMES, ELSEWHERE}))
def test_no_config_of_ours_pins_a_tokenizer(name: str) -> None:
    config = load_config(FOLDER / f"{name}.cfg")
    assert "tokenizer" not in config["nlp"]
    for lang, tokenizer in OWN.items():
        filled = spacy.util.get_lang_class(lang).default_config.merge(config)
        assert filled["nlp"]["tokenizer"]["@tokenizers"] == tokenizer


def of_language(lang: str, *, pinned: bool) -> Language:
    text = f'[nlp]\nlang = "{lang}"\npipeline = ["ner"]\n'
    text += '[nlp.tokenizer]\n@tokenizers = "spacy.Tokenizer.v1"\n' if pinned else ""
    text += '[components]\n[components.ner]\nfactory = "token_classifier"\n'
    return load_model_from_config(load_config_from_str(text), auto_fill=True)


@pytest.mark.parametrize("lang", sorted(OWN))
def test_another_tokenizer_than_the_languages_is_warned_about(lang: str) -> None:
    with pytest.warns(UserWarning, match=rf"TW011.*'{lang}'.*{OWN[lang]}"):
        nlp = of_language(lang, pinned=True)
    assert type(nlp.tokenizer) is Tokenizer


@pytest.mark.parametrize(("lang", "pinned"), [("en", True), ("xx", True), ("de", False), ("zh", False), ("vi", False)])
def test_no_warning_where_nothing_is_wrong(lang: str, pinned: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            of_language(lang, pinned=pinned)
        except ImportError:
            pytest.skip("the tokenizer's package is not here")


def test_a_text_without_spaces(encoder_dir: Path, tmp_path: Path) -> None:
    """From the config to a saved pipeline: characters are tokens, not sentences."""
    nlp = of_language("zh", pinned=False)
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
    nlp.config["initialize"]["components"]["ner"] = {"encoder": loader}
    text = "安娜住在伦敦"
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc(text), {"entities": [(4, 6, "place")]})])
    nlp.to_disk(tmp_path / "zh")
    assert [len(each(text)) for each in (nlp, spacy.load(tmp_path / "zh"))] == [6, 6]


def test_a_saved_pipeline_that_disagrees(encoder_dir: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="TW011"):
        nlp = of_language("zh", pinned=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.add_pipe("token_classifier", name="two")  # once a pipeline
    nlp.to_disk(tmp_path / "zh")
    with pytest.warns(UserWarning, match="TW011"):
        spacy.load(tmp_path / "zh")

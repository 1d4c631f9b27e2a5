"""Dialects of files with one tag a token, each read by conversion, training and scoring alike."""

import gzip
import re
import warnings

import pytest
import spacy
from spacy.vocab import Vocab

from spacy_tokclf.corpus import ConllCorpus, doc_to_record, read_conll, records_to_docs
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.corpus.tagged import read_tagged
from spacy_tokclf.tags import tags_to_spans

NLP = spacy.blank("en")
MIRA = (["Mira", "Oduya", "spoke"], [(0, 2, "PER")])
LAGOS = (["In", "Lagos"], [(1, 2, "LOC")])


def everywhere(path, **options):
    """Read a file in all ways; they have to agree."""
    records = [doc_to_record(doc) for doc in read_any(path, NLP, ReadOptions(**options))]
    converted = [(record.words, tags_to_spans(record.tags)) for record in records]
    corpus = ConllCorpus(path, **options)(NLP)
    trained = [doc_to_record(example.reference) for example in corpus]
    assert trained == records
    if "scheme" not in options:
        file = read_tagged(path, ReadOptions(**options))
        assert file.tokens == [word for words, _ in converted for word in words]
        assert file.lengths.tolist() == [len(words) for words, _ in converted]
    return converted


DIALECTS = {
    "comments": (
        "x.conll",
        "# id a1\tdomain=en\nMira _ _ B-PER\nOduya _ _ I-PER\nspoke _ _ O\n\n# id a2\tdomain=en\nIn _ _ O\n"
        "Lagos _ _ B-LOC\n",
        [MIRA, LAGOS],
    ),
    "comments with as many cells as rows": (
        "x.conll",
        "# id = 1\nMira x PRP B-PER\nOduya x PRP I-PER\nspoke x VB O\n\n# id = 2\nIn x y O\nLagos x y B-LOC\n",
        [MIRA, LAGOS],
    ),
    "names of documents and texts after two or three hashes": (
        "x.iob2",
        "###MEDLINE:95369245\n\nMira\tB-PER\nOduya\tI-PER\nspoke\tO\n\n"
        "## text-1\t<Lagos:LC> there\nIn\tO\nLagos\tB-LOC\n",
        [MIRA, LAGOS],
    ),
    "two hashes are a token": (
        "x.conll",
        "## PER\nMira O\n\n##Lagos LOC\nx O\n",
        [(["##", "Mira"], [(0, 1, "PER")]), (["##Lagos", "x"], [(0, 1, "LOC")])],
    ),
    "a hash is a token": (
        "x.conll",
        "#\tO\nMira\tB-PER\n#\tO\n# x\tO\n\n#Lagos\tB-LOC\n",
        [(["#", "Mira", "#", "# x"], [(1, 2, "PER")]), (["#Lagos"], [(0, 1, "LOC")])],
    ),
    "a hash is a token among blanks": (
        "x.conll",
        "# _ _ O\nMira _ _ B-PER\n# _ _ O\n",
        [(["#", "Mira", "#"], [(1, 2, "PER")])],
    ),
    "CoNLL-U Plus": (
        "x.conllup",
        "# global.columns = ID FORM NER\n# text = Mira Oduya spoke\n1\tMira\tB-PER\n"
        "2-3\tOduyaspoke\t_\n2\tOduya\tI-PER\n"
        "3\tspoke\tO\n3.1\tnothing\t_\n",
        [MIRA],
    ),
    "Universal NER": (
        "x.iob2",
        "# sent_id = 1\n# text = Mira Oduya spoke\n1\tMira\tB-PER\t-\tann\n2\tOduya\tI-PER\t-\tann\n"
        "3\tspoke\tO\t-\tann\n\n"
        "# sent_id = 2\n1\tIn\tO\t-\tann\n2\tLagos\tB-LOC\t-\tann\n",
        [MIRA, LAGOS],
    ),
    "GermEval": (
        "x.tsv",
        "#\thttp://example.org/a [2010-01-01]\n1\tMira\tB-PER\tO\n2\tOduya\tI-PER\tB-LOC\n3\tspoke\tO\tO\n\n"
        "#\thttp://example.org/b [2010-01-01]\n1\tIn\tO\tO\n2\tLagos\tB-LOC\tO\n",
        [MIRA, LAGOS],
    ),
    "HIPE": (
        "x.tsv",
        "TOKEN\tNE-COARSE-LIT\tNE-COARSE-METO\tNEL-LIT\tMISC\n# hipe2022:language = en\n"
        "# segment = 1\nMira\tB-PER\tO\t_\t_\n"
        "# segment = 2\nOduya\tI-PER\tO\t_\tNoSpaceAfter\nspoke\tO\tO\t_\t_\n\n"
        "# hipe2022:language = en\nIn\tO\tO\t_\t_\n"
        "Lagos\tB-LOC\tO\t_\tEndOfSentence\n",
        [MIRA, LAGOS],
    ),
    "CoNLL-2003": (
        "x.txt",
        "-DOCSTART- -X- -X- O\n\nMira NNP B-NP I-PER\nOduya NNP I-NP I-PER\nspoke VB B-VP O\n\n"
        "In IN B-PP O\nLagos NNP I-PP I-LOC\n",
        [MIRA, LAGOS],
    ),
    "spaCy's iob": ("x.iob", "Mira|I-PER Oduya|I-PER spoke|O\nIn|O Lagos|I-LOC\n", [MIRA, LAGOS]),
    "word, pos and tag": (
        "x.iob",
        "Mira|NN|B-PER Oduya|NN|I-PER spoke|VB|O\n\nIn|IN|O Lagos|NN|B-LOC\n",
        [MIRA, LAGOS],
    ),
    "pairs without prefixes": ("x.iob", "Mira|PER Oduya|PER spoke|O\nIn|O Lagos|LOC\n", [MIRA, LAGOS]),
    "pairs with slashes": ("x.txt", "Mira/B-PER Oduya/I-PER spoke/O\nIn/O Lagos/B-LOC\n", [MIRA, LAGOS]),
    "pairs with a bar in a word": ("x.iob", "a|b|O ||O Lagos|B-LOC\n", [(["a|b", "|", "Lagos"], [(2, 3, "LOC")])]),
    "one pair a line": ("x.conll", "Mira|B-PER\nOduya|I-PER\nspoke|O\n\nIn|O\nLagos|B-LOC\n", [MIRA, LAGOS]),
    "commas": ("x.conll", "Mira,B-PER\nOduya,I-PER\nspoke,O\n\nIn,O\nLagos,B-LOC\n", [MIRA, LAGOS]),
    "commas and blanks": ("x.conll", "Mira, B-PER\nOduya, I-PER\nspoke, O\n", [MIRA]),
    "CSV": (
        "x.csv",
        'Sentence #,Word,POS,Tag\nSentence: 1,Mira,NN,B-per\n,",",",",O\n,"say ""x""",VB,O\n'
        "Sentence: 2,Lagos,NN,B-loc\n",
        [(["Mira", ",", 'say "x"'], [(0, 1, "per")]), (["Lagos"], [(0, 1, "loc")])],
    ),
    "CSV with ids and semicolons": (
        "x.csv",
        "sentence_id;token;ner\n7;Mira;B-PER\n7;Oduya;I-PER\n7;spoke;O\n8;In;O\n8;Lagos;B-LOC\n",
        [MIRA, LAGOS],
    ),
    "CSV with empty rows": (
        "x.csv",
        "word,tag\nMira,B-PER\nOduya,I-PER\nspoke,O\n,\nIn,O\nLagos,B-LOC\n",
        [MIRA, LAGOS],
    ),
    "TSV in quotes": ("x.tsv", 'word\ttag\n"Mira"\tB-PER\n""""\tO\n', [(["Mira", '"'], [(0, 1, "PER")])]),
    "TSV not in quotes": ("x.tsv", 'word\ttag\nMira\tB-PER\n"\tO\n', [(["Mira", '"'], [(0, 1, "PER")])]),
    "header among blanks": ("x.conll", "token pos ner\nMira N B-PER\nOduya N I-PER\nspoke V O\n", [MIRA]),
    "suffix": ("x.conll", "Mira\tPER-B\nOduya\tPER-I\nspoke\tO\n", [MIRA]),
    "lower": ("x.conll", "Mira\tb-PER\nOduya\ti-PER\nspoke\to\n", [MIRA]),
    "BMES": (
        "x.conll",
        "Mira\tB-PER\nA\tM-PER\nOduya\tE-PER\nLagos\tS-LOC\n",
        [(["Mira", "A", "Oduya", "Lagos"], [(0, 3, "PER"), (3, 4, "LOC")])],
    ),
    "quoted": ("x.conll", '"Mira"\t"B-PER"\n"Oduya"\t"I-PER"\n"spoke"\t"O"\n', [MIRA]),
    "labels": ("x.conll", "Mira\tPER\nOduya\tPER\nspoke\tO\n\nIn\tO\nLagos\tLOC\n", [MIRA, LAGOS]),
    "all O": ("x.conll", "Mira\tO\nspoke\tO\n", [(["Mira", "spoke"], [])]),
    "trailing tab": ("x.conll", "Mira\tB-PER\t\nOduya\tI-PER\t\nspoke\tO\t\n", [MIRA]),
    "doubled tab": ("x.conll", "Mira\tB-PER\nOduya\t\tI-PER\nspoke\tO\n", [MIRA]),
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("packed", [False, True])
def test_dialects(tmp_path, name, packed):
    file, text, expected = DIALECTS[name]
    path = tmp_path / (f"{file}.gz" if packed else file)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert everywhere(path) == expected


def test_bare_prefixes_get_a_type_and_a_warning(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Hi\tO\nJohn\tB\nOduya\tI\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"TW113.*ENTITY"):
        assert everywhere(path) == [(["Hi", "John", "Oduya"], [(1, 3, "ENTITY")])]


def test_nothing_said_is_missing_beside_O_and_refused_in_its_place(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Mira\tB-PER\nspoke\tO\nthere\t_\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"TW114.*1 token.*x\.conll:1"):
        assert [record.tags for record in read_conll(path)] == [["B-PER", "O", "-"]]
    path.write_text("Mira\tB-PER\nspoke\t_\nthere\t_\n", encoding="utf-8")
    with pytest.raises(ValueError, match="TC104"):
        list(read_conll(path))


def test_numbers_may_be_tokens(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("1990 CD O\n12 CD B-NUM\n\n7 CD O\n", encoding="utf-8")
    assert everywhere(path) == [(["1990", "12"], [(1, 2, "NUM")]), (["7"], [])]


@pytest.mark.parametrize("mark", "_/:")
def test_what_stands_in_words_and_types_is_no_separator_beside_blanks(tmp_path, mark):
    path = tmp_path / "x.conll"
    path.write_text(f"Mira vitamin{mark}b-I\nMira vitamin{mark}b-I\n", encoding="utf-8")
    try:
        found = everywhere(path)
    except ValueError as error:
        assert re.match(r"\[TC\d+\]", str(error))
    else:
        assert found == [(["Mira", "Mira"], [(0, 2, f"vitamin{mark}b")])]


def test_labels_that_differ_in_white_space(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Mira\tB-PER\nspoke\tO\nOduya\tB- PER\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"TW121.*' PER', 'PER'"):
        list(records_to_docs(read_conll(path), Vocab()))


@pytest.mark.parametrize("token, tag", [("form", "ner"), ("FORM", "ner"), (1, 2), ("form", -2)])
def test_columns_by_name(tmp_path, token, tag):
    for head in ("# global.columns = id form ner pos\n", "id\tform\tner\tpos\n"):
        path = tmp_path / "x.conll"
        path.write_text(f"{head}a\tMira\tB-PER\tNN\nb\tOduya\tI-PER\tNN\nc\tspoke\tO\tVB\n", encoding="utf-8")
        if isinstance(token, str) or isinstance(tag, str) or head[0] == "#":
            assert everywhere(path, token_column=token, tag_column=tag) == [MIRA]
        with pytest.raises(ValueError, match=r"TC131.*'gold'.*form, ner|TC131.*'gold'.*no names"):
            everywhere(path, tag_column="gold")


def test_separator_and_encoding_by_name(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("Zoë~B-PER~x\nspoke~O~x\n".encode("latin-1"))
    options = {"separator": "~", "encoding": "latin-1", "tag_column": 1}
    assert everywhere(path, **options) == [(["Zoë", "spoke"], [(0, 1, "PER")])]
    path.write_bytes("Zoë~B-PER spoke~O\n".encode("latin-1"))
    assert everywhere(path, separator="~", encoding="latin-1") == [(["Zoë", "spoke"], [(0, 1, "PER")])]


REFUSED = {
    "pairs of parts of speech": ("The/DT dog/NN barks/VB\nA/DT cat/NN\n", "TC127.*word|tag"),
    "parts of speech": ("The\tDT\ndog\tNN\nbarks\tVB\n", "TC126.*parts of speech.*--tag-column"),
    "no O": ("Mira\tPER\nOduya\tPER\n", "TC126.*no O.*--scheme IO"),
    "underscores": ("Mira\t_\nspoke\t_\n", "TC126.*`_`"),
    "all different": ("".join(f"w\tx{c}\n" for c in "abcdefghij") + "w\tO\n", "TC126.*nearly all different"),
    "numbers": ("Mira\t1\nspoke\t0\nthere\tO\n", "TC126"),
    "white space": ("Mira\tvery good\nspoke\tO\n", "TC126.*white space"),
    "header": ("text\tclass\nMira\tB-PER\nspoke\tO\n", "TC127.*row that names them.*--tag-column"),
    "prose": (
        "Mira spoke in Lagos yesterday .\nNobody had come to listen to her .\nSo she went .\n",
        "TC127.*without annotation",
    ),
    "HTML": ("<!DOCTYPE html>\n<html><body>404</body></html>\n", "TC127.*HTML"),
    "XMI": ('<?xml version="1.0"?>\n<xmi:XMI xmlns:cas="http:///uima/cas.ecore">\n</xmi:XMI>\n', "TC127.*UIMA"),
    "GATE": ('<?xml version="1.0"?>\n<GateDocument version="3">\n</GateDocument>\n', "TC127.*GATE"),
    "inline tags": ("<PER>Mira Oduya</PER> spoke .\nThen she went to <LOC>Lagos</LOC> .\n", "TC127.*tags of XML"),
    "Markdown": ("| word | tag |\n|---|---|\n| Mira | B-PER |\n", "TC127.*Markdown"),
    "stand-off": ("T1\tPER 0 4\tMira\nT2\tLOC 5 9\tRome\n", "TC127.*brat"),
    "lists": ("tokens\ttags\n['a', 'b']\t['O', 'O']\n", "TC127.*lists"),
    "lines of tags": ("Mira spoke here\tB-PER O O\n", "TC127.*lines of tags"),
    "several labels": ("Mira\tB-PER|B-ORG\nspoke\tO\n", "TC115"),
    "a lost tag": ("Mira|B-PER spoke|O\nthere went|O\n", "TC113.*x:2|TC112|TC127"),
    "mixed line ends": ("a\tO\rb\tO\nc\tO\n", "TC124.*x:1"),
    "a tag on a range": ("1\tMira\tB-PER\n2-3\tab\tB-LOC\n2\ta\tO\n3\tb\tO\n", "TC128.*x:2.*2-3.*B-LOC"),
    "header with semicolons": ("Satz;Wort;Klasse\n1;Mira;B-PER\n1;sprach;O\n", "TC127.*row that names them"),
    "CoNLL-2012": (
        "#begin document (a); part 000\na 0 0 In IN (TOP* - - - A * * -\na 0 1 May NNP * - - - A (DATE* * -\n"
        "a 0 2 1990 CD * - - - A *) * -\n\n#end document\n",
        "TC127.*CoNLL-2012",
    ),
    "CoNLL-U": ("1\tMira\t_\t_\t_\t_\t_\t_\t_\tNER=B-PER\n", "TC127.*CoNLL-U.*column of their own"),
    "WebAnno": ("#FORMAT=WebAnno TSV 3.2\n\n#Text=Mira\n1-1\t0-4\tMira\tPER\t\n", "TC127.*WebAnno TSV"),
    "trees": ("(S\n  (PERSON Mira/NNP)\n  spoke/VBD)\n", "TC127.*NLTK"),
    "examples of Rasa": ("## intent:go\n- fly to [Lagos](city)\n", "TC127.*Rasa"),
    "sentences by number": ("1\tMira\tB-PER\n1\tspoke\tO\n2\tYes\tO\n", "TC186.*'1'.*--token-column 1"),
    "tokens counted throughout": ("1 Mira B-PER\n2 spoke O\n\n3 Yes O\n", "TC186"),
    "names of documents": ("a.txt\tMira\tB-PER\na.txt\tspoke\tO\na.txt\t.\tO\n", "TC186.*'a.txt'"),
    "outside is none": ("Mira\tPER\nspoke\tNONE\nthere\tNONE\nagain\tO\n", "TC126.*'NONE'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(tmp_path, name):
    text, says = REFUSED[name]
    path = tmp_path / "x"
    path.write_bytes(text.encode())
    readers = (lambda: read_tagged(path), lambda: list(ConllCorpus(path)(NLP)), lambda: list(read_any(path, NLP)))
    for read in readers[1:2] if name == "JSON" else readers:  # where any form is read, JSON is
        with pytest.raises(ValueError, match=f"(?s){says}"):
            read()


def test_faults_of_tables(tmp_path):
    path = tmp_path / "x.csv"
    for text, says in (
        ('word,tag\n",O\nspoke,O\n', "TC129.*x.csv:2"),
        ('word,tag\n"a"b,O\nspoke,O\n', "TC129.*x.csv:2"),
        ("word,tag\na,O\nb\n", "TC113.*x.csv:3"),
        ("word\na\n", "TC112.*x.csv:1"),
        ("word,tag\n,O\n", "TC114|TC116"),
        ("word,tag\n", "TC116"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=says):
            list(read_conll(path))


def test_a_named_scheme_is_an_order(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Mira\tPER\nOduya\tPER\n", encoding="utf-8")
    assert everywhere(path, scheme="IO") == [(["Mira", "Oduya"], [(0, 2, "PER")])]
    path.write_text("Mira\tsome label\nOduya\tx|y\n", encoding="utf-8")
    assert everywhere(path, scheme="IO") == [(["Mira", "Oduya"], [(0, 1, "some label"), (1, 2, "x|y")])]


def test_a_table_in_parts(tmp_path, monkeypatch):
    from spacy_tokclf.corpus.forms import csv_rows

    path = tmp_path / "x.csv"
    path.write_text("sentence,word,tag\n" + "".join(f"{i // 3},w{i},O\n" for i in range(30)), encoding="utf-8")
    whole = everywhere(path)
    monkeypatch.setattr(csv_rows, "_ROWS", 4)
    assert everywhere(path) == whole and [len(words) for words, _ in whole] == [3] * 10


def test_scores_of_any_form(tmp_path):
    """Texts with offsets have their tokens and tags scored as they are trained on."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "Mira spoke", "label": [[0, 4, "PER"]]}\n', encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = read_tagged(path)
    assert (file.tokens, file.tags, file.lengths.tolist()) == (["Mira", "spoke"], ["B-PER", "O"], [2])
    with pytest.raises(ValueError, match="TC118"):
        read_tagged(tmp_path / "none.conll")

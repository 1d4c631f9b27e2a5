"""Tables of entities: where a text begins and ends."""

import pytest

from spacy_tokclf.corpus.forms.entity_csv import read_entity_csv

HEADER = "number,start,end,label,score,text,document\n"
ONE = '1,0,4,person,0.5,Mira,"Mira, in Porto"\n1,9,14,location,0.25,Porto,\n'


def read(path, content):
    path.write_text(content, encoding="utf-8")
    return [(record.text, record.spans, record.scores) for record in read_entity_csv(path)]


@pytest.fixture
def table(tmp_path):
    return tmp_path / "found.csv"


def test_rows_of_a_text_belong_together(table):
    spans = [(0, 4, "person"), (9, 14, "location")]
    assert read(table, HEADER + ONE) == [("Mira, in Porto", spans, dict(zip(spans, (0.5, 0.25), strict=True)))]


def test_tables_that_were_put_together_keep_their_texts_apart(table):
    found = read(table, HEADER + ONE + "1,0,4,person,0.5,Mira,Mira sleeps\n")
    assert [text for text, *_ in found] == ["Mira, in Porto", "Mira sleeps"]
    assert [len(spans) for _, spans, _ in found] == [2, 1]


def test_a_text_that_lost_its_first_row_is_refused(table):
    with pytest.raises(ValueError, match="TC16"):
        read(table, HEADER + ONE + "2,0,4,person,0.5,Mira,\n")


@pytest.mark.parametrize("place", ["x,4", "0,", "0.5,4"])
def test_a_place_that_is_no_number_is_refused(table, place):
    with pytest.raises(ValueError, match="TC362"):
        read(table, HEADER + f"1,{place},person,0.5,Mira,Mira sleeps\n")

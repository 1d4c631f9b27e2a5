"""How tags are spelled, and when labels without prefixes are believed."""

import pytest

from spacy_tokclf.tags import SchemeDetector, find_spelling, looks_like_tag


def form(*sentences):
    detector = SchemeDetector()
    for sentence in sentences:
        detector.add(sentence.split(" "), "x:", first=1)
    return detector.form()


@pytest.mark.parametrize(
    "sentence, scheme, usual",
    [
        ("B-PER I-PER O -", "IOB2", "B-PER I-PER O -"),
        ("b-per i-per o", "IOB2", "B-per I-per O"),
        ("b-per i-per O", "IOB2", "B-per I-per O"),
        ("b-per o", "IOB2", "B-per O"),
        ("B_PER I_PER O", "IOB2", "B-PER I-PER O"),
        ("B:creative-work I:creative-work O", "IOB2", "B-creative-work I-creative-work O"),
        ("U/PER B/PER L/PER O", "BILOU", "U-PER B-PER L-PER O"),
        ("I_PER I_LOC O", "IOB1", "I-PER I-LOC O"),
        ("PER-B PER-I O", "IOB2", "B-PER I-PER O"),
        ("creative-work-B creative-work-I O", "IOB2", "B-creative-work I-creative-work O"),
        ("per_s per_b per_e o", "IOBES", "S-per B-per E-per O"),
        ("B-X M-X E-X S-X O", "IOBES", "B-X I-X E-X S-X O"),
        ("B-X M-X E-X W-X O", "IOBES", "B-X I-X E-X S-X O"),
        ("'B-PER' 'I-PER' 'O'", "IOB2", "B-PER I-PER O"),
        ('"b_x" "i_x" "o"', "IOB2", "B-x I-x O"),
        ("B I O", "IOB2", "B-ENTITY I-ENTITY O"),
        ("b i o -", "IOB2", "B-ENTITY I-ENTITY O -"),
        ("O I I", "IOB1", "O I-ENTITY I-ENTITY"),
        ("S O B M E", "IOBES", "S-ENTITY O B-ENTITY I-ENTITY E-ENTITY"),
        ("B-PER O _", "IOB2", "B-PER O -"),
        ("PER O PER LOC", "IO", "PER O PER LOC"),
        ("vitamin-X O", "IO", "vitamin-X O"),
        ("B-_ O", "IOB2", "B-_ O"),
        ("O O", "IOB2", "O O"),
    ],
)
def test_forms(sentence, scheme, usual):
    found = form(sentence)
    assert found.scheme == scheme
    assert found.spelling.normalize(sentence.split(" ")) == usual.split(" ")
    assert found.spelling.unnamed == ("ENTITY" in usual)


@pytest.mark.parametrize(
    "sentence, code",
    [
        ("B-PER b-PER O", "TC104"),
        ("B-PER O o", "TC104"),
        ("B-PER B_PER O", "TC104"),
        ("B-PER 0 0", "TC104"),
        ("B-PER _ _", "TC104"),
        ("B_PER O", "TC126"),
        ("PER-B O", "TC126"),
        ("vitamin-B hepatitis-B O", "TC126"),
        ("e-mail O", "TC126"),
        ("PER LOC", "TC126.*no O"),
        ("PER O o", "TC126.*'o'"),
        ("_ _ O", "TC126.*`_`"),
        ("O B|PER", "TC126.*pairs"),
        ('O "x"y"', "TC126"),
        ("NN DT VB O", "TC126.*parts of speech"),
        ("B B", "TC101"),
        ("S O", "TC101"),
        ("y O O", "TC126.*names of columns"),
        ("BPER IPER O", "TC126.*prefixes"),
        ("Begin-PER Inside-PER O", "TC126.*prefixes"),
        ("PER_BEGIN PER_IN O", "TC126.*prefixes"),
        ("B+PER I+PER O", "TC126.*prefixes"),
        ("NONE PER O", "TC126.*'NONE'"),
    ],
)
def test_refused(sentence, code):
    with pytest.raises(ValueError, match=rf"(?s){code}.*x:"):
        form(sentence)


def test_too_many_different_values_are_refused_at_once():
    detector = SchemeDetector()
    with pytest.raises(ValueError, match=r"TC126.*nearly all different"):
        for i in range(20_000):
            detector.add([f"word{i}"])


def test_in_memory_tags_are_spelled_in_the_usual_way():
    detector = SchemeDetector()
    detector.add(["b-per", "i-per", "o"])
    with pytest.raises(ValueError, match="TC126"):
        detector.result()


def test_what_looks_like_a_tag():
    assert all(map(looks_like_tag, ["O", "o", "B-PER", "b_x", "PER-I", "M-x", "B:x", "x/S"]))
    assert not any(map(looks_like_tag, ["", "-", "PER", "B", "NN", "B-", "-B", "word"]))
    assert find_spelling({"B", "I", "PER"}) is None

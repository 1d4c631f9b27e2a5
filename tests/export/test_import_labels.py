"""Labels of checkpoints in the forms that people have: read right, or refused with the names that they should have."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from spacy_tokclf.export import import_hf, to_hf_entities
from spacy_tokclf.pipeline.checkpoint_labels import SPECIAL, checkpoint_scheme
from spacy_tokclf.tags import tags_to_spans

RIGHT = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
#: Labels that are not read, and the names that are proposed; "" for none.
REFUSED = {
    "a type beside tags": ("O PER B-LOC I-LOC", "O,I-PER,B-LOC,I-LOC"),
    "types beside tags": ("O B-PER I-PER LOC DATE", "O,B-PER,I-PER,I-LOC,I-DATE"),
    "a type beside its own tag": ("O B-PER I-PER PER", ""),
    "lower-case prefixes": ("O b-per i-per b-loc i-loc", "O,B-per,I-per,B-loc,I-loc"),
    "lower case of all": ("o b-per i-per", "O,B-per,I-per"),
    "some in lower case": ("O B-PER i-PER", "O,B-PER,I-PER"),
    "suffixes": ("O PER-B PER-I LOC-B LOC-I", "O,B-PER,I-PER,B-LOC,I-LOC"),
    "suffixes in lower case": ("O per-b per-i", "O,B-per,I-per"),
    "underscores": ("O B_PER I_PER B_LOC I_LOC", "O,B-PER,I-PER,B-LOC,I-LOC"),
    "underscores behind": ("O PER_B PER_I", "O,B-PER,I-PER"),
    "dots": ("O B.PER I.PER", "O,B-PER,I-PER"),
    "slashes": ("O B/PER I/PER", "O,B-PER,I-PER"),
    "BILOU with underscores": ("O B_a I_a L_a U_a", "O,B-a,I-a,L-a,U-a"),
    "middle": ("O B-NAME M-NAME E-NAME S-NAME", "O,B-NAME,I-NAME,E-NAME,S-NAME"),
    "whole": ("O B-NAME M-NAME E-NAME W-NAME", "O,B-NAME,I-NAME,E-NAME,S-NAME"),
    "bare letters": ("O B I", "O,B-ENTITY,I-ENTITY"),
    "bare letters of IOBES": ("B I E S O", "B-ENTITY,I-ENTITY,E-ENTITY,S-ENTITY,O"),
    "another word for O": ("OTHER B-PER I-PER", "O,B-PER,I-PER"),
    "another word beside types": ("none per loc", "O,per,loc"),
    "the sign of a missing value": ("- B-PER I-PER", "O,B-PER,I-PER"),
    "a prefix without a type": ("O B-PER I-PER I-", ""),
    "the sign of a missing value as a type": ("O - per loc", ""),
    "an empty type": ("O B-PER I-PER B-|", ""),
}
READ = {
    "IOB2": (RIGHT, "IOB2"),
    "no O": (RIGHT[1:], "IOB2"),
    "O last": ([*RIGHT[1:], "O"], "IOB2"),
    "I alone": (["O", "I-PER", "I-LOC"], "IOB1"),
    "B alone": (["O", "B-PER", "B-LOC"], "IOB2"),
    "types that are I- alone among others": (["O", "B-PER", "I-PER", "I-LOC"], "IOB2"),
    "IOBES": (["O", "B-a", "I-a", "E-a", "S-a"], "IOBES"),
    "IOBES without E": (["B-a", "I-a", "S-a", "O"], "IOBES"),
    "BILOU": (["O", "B-a", "I-a", "L-a", "U-a"], "BILOU"),
    "types": (["O", "PER", "LOC"], "IO"),
    "types with hyphens": (["O", "creative-work", "b-cell-line", "corporation"], "IO"),
    "types of one letter": (["O", "X", "N"], "IO"),
    "types that hold tags' letters": (["O", "vitamin-B", "drug"], "IO"),
    "parts of speech": (["NOUN", "VERB", "ADJ", "X"], "IO"),
    "types that begin as tags do": (["O", "B-B-a", "I-B-a"], "IOB2"),
    "special pieces": (["X", "O", "B-PER", "I-PER", "[CLS]", "[SEP]"], "IOB2"),
}


@pytest.mark.filterwarnings("ignore:.*TW20[34]")
@pytest.mark.parametrize("kind", list(READ))
def test_read(kind: str) -> None:
    tags, scheme = READ[kind]
    assert checkpoint_scheme(tags) == scheme


@pytest.mark.parametrize("kind", list(REFUSED))
def test_refused(kind: str) -> None:
    labels, proposed = REFUSED[kind]
    labels = [label.strip("|") for label in labels.split()]
    with pytest.raises(ValueError, match=r"TC086.*--labels") as caught:
        checkpoint_scheme(labels)
    assert ("what they mean: " in str(caught.value)) == bool(proposed)
    if proposed:
        assert str(caught.value).endswith(f"what they mean: {proposed}.")
        checkpoint_scheme(proposed.split(","), given=True)


def test_no_names() -> None:
    with pytest.raises(ValueError, match=r"TC087.*LABEL_0.*--labels.*id2label"):
        checkpoint_scheme(["LABEL_0", "LABEL_1"])


def test_names_that_a_user_gives_are_types_if_no_label_has_a_prefix() -> None:
    assert checkpoint_scheme(["O", "b-cell", "t-cell", "b-other", "LABEL_1"], given=True) == "IO"
    with pytest.raises(ValueError, match="TC086"):
        checkpoint_scheme(["O", "B-cell", "PER"], given=True)


def test_warnings() -> None:
    with pytest.warns(UserWarning, match=r"TW204.*'X', '\[CLS\]'"):
        checkpoint_scheme(["X", "O", "B-PER", "I-PER", "[CLS]"])
    with pytest.warns(UserWarning, match=r"TW203.*'B-PER', 'I-PER'"):
        checkpoint_scheme(["B-PER", "I-PER"])


#: Other ways to write a tag.
WAYS: dict[str, Callable[[str, str], str]] = {
    "lower": lambda prefix, type_: f"{prefix.lower()}-{type_}",
    "suffix": lambda prefix, type_: f"{type_}-{prefix}",
    "underscore": lambda prefix, type_: f"{prefix}_{type_}",
    "suffix with underscore": lambda prefix, type_: f"{type_}_{prefix}",
    "colon": lambda prefix, type_: f"{prefix}:{type_}",
    "bar": lambda prefix, type_: f"{prefix}|{type_}",
}


@given(
    types=st.lists(st.sampled_from(["PER", "LOC", "creative-work", "a", "time_of_day"]), min_size=1, unique=True),
    prefixes=st.sampled_from(["BI", "BIES", "BILU"]),
    way=st.sampled_from(sorted(WAYS)),
    seed=st.integers(0, 9),
)
def test_disfigured_tags_are_refused_and_what_is_proposed_is_right(
    types: list[str], prefixes: str, way: str, seed: int
) -> None:
    right = ["O", *(f"{prefix}-{type_}" for type_ in types for prefix in prefixes)]
    written = ["O", *(WAYS[way](prefix, type_) for type_ in types for prefix in prefixes)]
    order = random.Random(seed).sample(range(len(right)), len(right))
    scheme = checkpoint_scheme([right[i] for i in order])
    with pytest.raises(ValueError, match="TC086") as caught:
        checkpoint_scheme([written[i] for i in order])
    proposed = str(caught.value).split("what they mean: ")[1].removesuffix(".").split(",")
    assert proposed == [right[i] for i in order]
    assert checkpoint_scheme(proposed) == scheme


@pytest.mark.filterwarnings("ignore:.*TW20[34]")
@given(labels=st.lists(st.text("OBISLU-_perX ", max_size=6), min_size=1, max_size=6, unique=True))
def test_no_label_is_dropped_in_silence(labels: list[str]) -> None:
    """Whatever is accepted means an entity, or O, or is a special piece, which is warned of."""
    try:
        scheme = checkpoint_scheme(labels)
    except ValueError as error:
        assert str(error).startswith(("[TC086]", "[TC104]", "[TC101]"))
        return
    for label in set(labels) - SPECIAL if scheme != "IO" else labels:
        assert (label == "O") == (tags_to_spans([label], scheme) == [])


def test_white_space_around_types() -> None:
    with pytest.raises(ValueError, match=r"TC086.*'B- PER'.*O,B-PER,I-PER"):
        checkpoint_scheme(["O", "B- PER", "I-PER "])


class TestWholeCheckpoints:
    """The same, from a folder to entities."""

    def relabelled(self, folder: Path, to: Path, **changes: Any) -> Path:
        """Copy a checkpoint, with other values in its config; None for none."""
        shutil.copytree(folder, to)
        config = {**json.loads((to / "config.json").read_text()), **changes}
        config = {key: value for key, value in config.items() if value is not None}
        (to / "config.json").write_text(json.dumps(config))
        return to

    def test_a_type_beside_tags(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir(tags=("O", "PER", "B-LOC", "I-LOC"), seed=3)
        with pytest.raises(ValueError, match=r"TC086.*'PER'.*O,I-PER,B-LOC,I-LOC"):
            import_hf(folder)
        nlp = import_hf(folder, labels=["O", "I-PER", "B-LOC", "I-LOC"])
        theirs = transformers.pipeline("ner", model=str(folder), device="cpu", aggregation_strategy="simple")
        text = "Groenlinks praat over Schiphol in London and the tweet on New York by @user, greenlinks!"
        expected = [(each["start"], each["entity_group"]) for each in theirs(text)]
        assert {label for _, label in expected} >= {"PER"}
        ours = to_hf_entities(text, nlp, aggregation_strategy="simple")
        assert [(each["start"], each["entity_group"]) for each in ours] == expected

    def test_no_names(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        folder = make_checkpoint_dir()
        unnamed = self.relabelled(folder, tmp_path / "unnamed", id2label=None, label2id=None, num_labels=5)
        with pytest.raises(ValueError, match="TC087"):
            import_hf(unnamed)
        assert import_hf(unnamed, labels=RIGHT).get_pipe("ner").tags == RIGHT  # type: ignore[attr-defined]
        rows = {label: row for row, label in enumerate(RIGHT)}
        by_name = self.relabelled(folder, tmp_path / "by_name", id2label=None, label2id=rows, num_labels=5)
        assert import_hf(by_name).get_pipe("ner").tags == RIGHT  # type: ignore[attr-defined]

    def test_another_number_of_labels(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        for number, count in enumerate((2, 5, 9)):
            folder = self.relabelled(make_checkpoint_dir(), tmp_path / str(number), num_labels=count)
            tags = import_hf(folder).get_pipe("ner").tags  # type: ignore[attr-defined]
            assert tags == import_hf(make_checkpoint_dir()).get_pipe("ner").tags  # type: ignore[attr-defined]

    def test_gaps(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        gaps = {"0": "O", "1": "B-a", "2": "I-a", "5": "B-b", "7": "I-b"}
        with pytest.raises(ValueError, match=r"TC085.*rows 0, 1, 2, 5, 7\..*5 rows"):
            import_hf(self.relabelled(make_checkpoint_dir(), tmp_path / "gaps", id2label=gaps, label2id=None))

    @pytest.mark.filterwarnings("ignore:.*TW203")
    def test_types_that_look_like_tags(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        labels = ["O", "b-cell", "t-cell"]
        with pytest.raises(ValueError, match="TC086"):
            import_hf(make_checkpoint_dir(tags=("O", "b-cell", "i-cell")))
        nlp = import_hf(make_checkpoint_dir(tags=("O", "b-cell", "i-cell")), labels=labels)
        assert nlp.get_pipe("ner").label_data == {"scheme": "IO", "tags": labels}  # type: ignore[attr-defined]

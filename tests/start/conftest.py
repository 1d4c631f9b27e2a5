from pathlib import Path

import pytest
from data_forms import FORMS, Text

NAMES = ["Anna", "Ben", "Carla", "Dora", "Emil", "Fritz", "Gina", "Hugo", "Ines", "Jan", "Karl", "Lena"]
PLACES = ("Oslo", "Lima", "New York")


@pytest.fixture(scope="session")
def texts():
    """Twenty-four texts with two types, which neither repeat nor contradict each other."""
    made = []
    for i, name in enumerate(NAMES):
        place = PLACES[i % 3].split()
        words = (name, "met", "Ben", "in", *place, ".")
        made.append(Text(words, ((0, 1, "PER"), (2, 3, "PER"), (4, 4 + len(place), "LOC"))))
        made.append(Text((name, "is", "away", ".")))
    return made


@pytest.fixture
def doccano(texts, tmp_path):
    """The texts as one of the forms."""
    form = next(form for form in FORMS if form.name == "Doccano")
    return str(form.save(texts, tmp_path / "data"))


@pytest.fixture
def project_folder(tmp_path) -> Path:
    """Where the project is to be."""
    return tmp_path / "project"

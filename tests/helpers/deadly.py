"""A component that kills its own process, for processes that are started elsewhere: `install` lets them find it."""

import os
import signal
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

MARK = "DEADLY"


class Deadly:
    """Finds capitals; kills the process at a text with MARK, or when it is loaded, as long as `flag` is a file; removes
    that, if `once`."""

    def __init__(self, flag: str, once: bool, loading: bool) -> None:
        self.flag, self.once = Path(flag), once
        if loading:
            self._kill()

    def _kill(self) -> None:
        if self.flag.is_file():
            if self.once:
                self.flag.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, doc: Doc) -> Doc:
        if MARK in doc.text:
            self._kill()
        doc.set_ents([Span(doc, token.i, token.i + 1, label="x") for token in doc if token.text[:1].isupper()])
        return doc


@Language.factory("deadly", default_config={"flag": "", "once": True, "loading": False})
def make_deadly(nlp: Language, name: str, flag: str, once: bool, loading: bool) -> Deadly:
    return Deadly(flag, once, loading)


def install(folder: Path, monkeypatch: Any) -> None:
    """Let processes find the component.

    folder (Path): Where to write what says so.
    monkeypatch (MonkeyPatch): Sets their environment.
    """
    about = folder / "deadly-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[spacy_factories]\ndeadly = deadly:make_deadly\n")
    paths = [str(folder), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))

"""Load an installed pipeline with the network blocked, annotate texts, and write down what was found.

`install_check.py` runs it in an isolated environment: python -I probe_installed.py PACKAGE TEXTS.json OUT.json
"""

import importlib
import json
import socket
import sys
from pathlib import Path

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")


class NoNetworkError(Exception):
    """Raised where something reaches for the network."""


def block_network() -> None:
    """Refuse every connection of this process, and make sure that it is refused."""

    def refuse(event: str, args: tuple[object, ...]) -> None:
        if event in NETWORK:
            raise NoNetworkError(f"{event} {args}")

    sys.addaudithook(refuse)
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except NoNetworkError:
        return
    raise SystemExit("The network is not blocked")


def main() -> None:
    """Write the entities of every text, and where the package and the plugin were found."""
    block_network()
    import spacy

    package, texts, out = sys.argv[1:]
    nlp = spacy.load(package)
    from spacy_tokclf.pipeline.annotate import entity_score

    found = [
        [(ent.start_char, ent.end_char, ent.label_, entity_score(ent)) for ent in doc.ents]
        for doc in nlp.pipe(json.loads(Path(texts).read_text(encoding="utf8")))
    ]
    files = [importlib.import_module(name).__file__ for name in (package, "spacy_tokclf")]
    Path(out).write_text(json.dumps({"files": files, "entities": found}), encoding="utf8")


if __name__ == "__main__":
    main()

"""Install a packaged pipeline as a user would, and check that it predicts there what it did after training.

An isolated environment gets our wheel and the pipeline's; heavy dependencies are those of the running environment. With
the network blocked and an empty home, spaCy loads the pipeline by the name of its package. The entities and their
scores on the dev texts must be those of the trained pipeline.

Usage: python scripts/install_check.py packages/ner.json training/model-best --env installed/ner --stamp FILE
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import spacy
from isolated_env import ROOT, borrow, build_distributions, install, isolated_variables, make_env, run
from project_files import fail, read_json, write_json
from spacy.tokens import DocBin
from wasabi import msg

from spacy_tokclf.hub.wheel import requirements_of
from spacy_tokclf.pipeline.annotate import entity_score

# Both run the same code on the same machine; the last digits may depend on how texts fall into batches.
TOLERANCE = 1e-5
#: Posts of every kind, beside those of dev.
TEXTS = (
    "The Golden State Warriors are an American professional basketball team based in San Francisco.",
    "omg just bumped into Adele at the Lidl in Croydon \U0001f602 she was buying Oreos",
    "anyone else's Pixel 9 dying after the android update?? google pls fix",
    "gonna binge Stranger Things tonite w/ my bro Kofi #nosleep",
    "RT @ninaplays: the new Tesla plant in Grünheide hires again, says Reuters",
    "how do i get pandas to read a csv w/ two header rows, asked on stackoverflow, no luck",
    "manchester united lost AGAIN lmaooo",
    "nothing to see here, just me and my tea",
)
Found = list[list[tuple[int, int, str, float | None]]]


def install_pipeline(wheel: Path, env: Path, dist: Path) -> Path:
    """Make the environment and install both wheels.

    wheel (Path): The pipeline's wheel.
    env (Path): The environment's folder.
    dist (Path): Where to build our own wheel.
    RETURNS (Path): The environment's Python.
    """
    _, ours = build_distributions(dist)
    python = make_env(env)
    install(python, "--no-deps", str(ours))
    borrow(python)
    install(python, "--find-links", str(dist), str(wheel))
    return python


def probe(python: Path, package: str, texts: list[str]) -> dict[str, Any]:
    """Annotate texts with the installed package.

    python (Path): The environment's Python.
    package (str): The package's name.
    texts (list[str]): The texts.
    RETURNS (dict[str, Any]): "entities" of each text, and "files": where the package and our plugin were found.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "home").mkdir()
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf8")
        script = str(ROOT / "scripts" / "probe_installed.py")
        command = [str(python.absolute()), "-I", script, package, "texts.json", "out.json"]
        run(command, "The installed pipeline", cwd=folder, env=isolated_variables(folder / "home"))
        return read_json(folder / "out.json")


def entities(model: Path, texts: list[str]) -> Found:
    """Annotate texts with the trained pipeline.

    model (Path): Its folder.
    texts (list[str]): The texts.
    RETURNS (Found): Start, end (characters), label and score of each entity in each text.
    """
    docs = spacy.load(model).pipe(texts)
    return [[(ent.start_char, ent.end_char, ent.label_, entity_score(ent)) for ent in doc.ents] for doc in docs]


def max_difference(trained: Found, installed: Found) -> float | None:
    """Compare entities and scores.

    trained (Found): Start, end, label and score of each entity in each text.
    installed (Found): The same from the other pipeline.
    RETURNS (float | None): The largest difference of two scores; None if the entities are not the same, or one
        has no score.
    """
    largest = 0.0
    for one, other in zip(trained, installed, strict=True):
        if [tuple(entity[:3]) for entity in one] != [tuple(entity[:3]) for entity in other]:
            return None
        for (*_, ours), (*_, theirs) in zip(one, other, strict=True):
            if ours is None or theirs is None:
                return None
            largest = max(largest, abs(ours - theirs))
    return largest


def main() -> None:
    """Install the package named on the command line and compare it with the trained pipeline."""
    parser = argparse.ArgumentParser(description="Test a packaged pipeline in an isolated environment.")
    parser.add_argument("package", type=Path, help="what package_model.py wrote about the package")
    parser.add_argument("model", type=Path, help="the trained pipeline's folder")
    parser.add_argument("--env", type=Path, required=True, help="the environment to make")
    parser.add_argument("--dist", type=Path, default=Path("dist"), help="where to build our own wheel")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), help="the folder with dev.spacy")
    parser.add_argument("--stamp", type=Path, required=True, help="write the result here")
    args = parser.parse_args()
    made = read_json(args.package)
    required = requirements_of(Path(made["wheel"]))
    if not any(name.startswith("spacy-tokclf") for name in required):
        fail(f"{made['wheel']} does not require spacy-tokclf", f"It requires {required}")
    dev = DocBin().from_disk(args.corpus / "dev.spacy").get_docs(spacy.blank("en").vocab)
    texts = [*TEXTS, *(doc.text for doc in dev)]
    python = install_pipeline(Path(made["wheel"]), args.env, args.dist)
    found = probe(python, made["package"], texts)
    outside = [file for file in found["files"] if not Path(file).is_relative_to(args.env.absolute())]
    if outside:
        fail(f"Not found in {args.env} but elsewhere", "\n".join(outside))
    trained = entities(args.model, texts)
    difference = max_difference(trained, found["entities"])
    if difference is None or difference > TOLERANCE:
        fail(f"{made['package']} does not find what {args.model} finds", f"Largest difference: {difference}")
    result = {
        "package": made["package"],
        "wheel_sha256": made["sha256"],
        "requires": required,
        "texts": len(texts),
        "entities": sum(map(len, trained)),
        "max_score_difference": difference,
    }
    write_json(args.stamp, result)
    msg.good(
        f"{made['package']}, installed and without network, finds what {args.model} finds",
        f"{result['entities']} entities in {len(texts)} texts; scores differ by at most {difference:.1e}",
    )


if __name__ == "__main__":
    main()

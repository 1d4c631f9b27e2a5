"""The text of a model card: what the model is, how it is used, how good it is, how it came about, what it cannot do."""

from collections.abc import Iterable
from urllib.parse import quote

from spacy.util import get_lang_class
from thinc.api import Config

from ..models.shim import EncoderShim
from ..pipeline.annotate import entity_score
from ..pipeline.lookup import find_encoder
from .card_facts import CardFacts

#: Settings of `[training]` that make a difference to the result and name no file.
TRAINING = ("seed", "max_epochs", "max_steps", "patience", "eval_frequency", "dropout", "accumulate_gradient")
BLOCKS = ("batcher", "optimizer")


def card_text(facts: CardFacts) -> str:
    """Write the text.

    facts (CardFacts): What is known of the pipeline.
    RETURNS (str): Markdown.
    """
    parts = [
        f"# {facts.repo.split('/')[1]}",
        *_about(facts),
        "## Use with spaCy",
        *_with_spacy(facts),
        *(["## Use with Transformers", *_with_transformers(facts)] if facts.checkpoint else []),
        "## Scores",
        *_scores(facts),
        "## Training",
        *_training(facts),
        "## Data and licences",
        *_sources(facts),
        "## Limits",
        "\n".join(f"* {line}" for line in _limits(facts)),
    ]
    return "\n\n".join(parts) + "\n"


def _about(facts: CardFacts) -> list[str]:
    meta, (package, version) = facts.nlp.meta, facts.package
    language = "multilingual" if facts.lang == "xx" else get_lang_class(facts.lang).__name__
    about = meta.get("description") or f"Named-entity recognition in {language} text."
    both = (
        "The same model is here twice: as a spaCy pipeline in a wheel, and as a Hugging Face checkpoint. At the first "
        "word piece of every token the two give the same probabilities."
        if facts.checkpoint
        else "This is a spaCy pipeline in a wheel. It was pushed with `--wheel-only`: there is no Hugging Face "
        "checkpoint, and Transformers cannot open it."
    )
    rows = [
        ("Package", f"`{package}` {version}"),
        ("Components", ", ".join(f"`{name}`" for name in facts.nlp.pipe_names)),
        ("Entity types", ", ".join(f"`{label}`" for label in facts.labels) or "none"),
        ("Encoder", _encoder(facts)),
        ("Requires", ", ".join(f"`{name}`" for name in facts.requires)),
        ("Author", meta.get("author")),
        ("Licence", meta.get("license") or "not stated"),
    ]
    return [about, both, _table(("", ""), [(name, str(value)) for name, value in rows if value])]


def _encoder(facts: CardFacts) -> str:
    node = find_encoder(facts.pipe.model, facts.nlp, facts.pipe.name) if facts.pipe is not None else None
    shim = node.shims[0] if node is not None else None
    if not isinstance(shim, EncoderShim) or not shim.is_filled:
        return ""
    size = sum(value.numel() for value in shim.module.parameters())
    name = f", from [{facts.base_model}](https://huggingface.co/{facts.base_model})" if facts.base_model else ""
    return f"`{shim.config['model_type']}`, {size:,} parameters{name}"


def _with_spacy(facts: CardFacts) -> list[str]:
    wheel, repo = facts.wheel, facts.repo
    branch = f" --revision {facts.revision}" if facts.revision else ""
    url = file_url(repo, wheel, revision=facts.revision)
    doc = facts.examples[0] if facts.examples else facts.nlp.make_doc("...")
    scores = [entity_score(ent) for ent in doc.ents]
    code = [
        "import spacy",
        "",
        f'nlp = spacy.load("{facts.package[0]}")',
        f"doc = nlp({doc.text!r})",
        "for ent in doc.ents:",
    ]
    if facts.pipe is not None and None not in scores:  # else entities of other components are among them
        code.insert(1, "from spacy_tokclf import entity_score")
        code.append("    print(ent.text, ent.label_, round(entity_score(ent), 2))")
        shown = [f" {round(score, 2)}" for score in scores if score is not None]
    else:
        code.append("    print(ent.text, ent.label_)")
        shown = [""] * len(doc.ents)
    found = [f"{ent.text} {ent.label_}{score}" for ent, score in zip(doc.ents, shown, strict=True)]
    private = f"A private repository asks for a token: `hf download {repo} {wheel}{branch} --local-dir .`, then"
    parts = [_code("bash", [f"pip install {url}"]), f"{private} `pip install ./{wheel}`.", _code("python", code)]
    return [*parts, _code("text", found)] if found else parts


def file_url(repo: str, name: str, *, revision: str | None = None) -> str:
    """Give the address of a file in a repository of the Hub.

    repo (str): The repository, USER/NAME.
    name (str): The file.
    revision (str | None): Branch, tag or commit; main if not given.
    RETURNS (str): The address.
    """
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{repo}/resolve/{quote(revision or 'main', safe='')}/{quote(name)}"


def _with_transformers(facts: CardFacts) -> list[str]:
    branch = f', revision="{facts.revision}"' if facts.revision else ""
    text = facts.examples[0].text if facts.examples else "..."
    call = f'ner = pipeline("ner", model="{facts.repo}"{branch}, aggregation_strategy="simple")'
    lines = ["from transformers import pipeline", "", call, f"print(ner({text!r}))"]
    return [_code("python", lines), f"To make a spaCy pipeline of the checkpoint again: {_import(facts)}."]


def _import(facts: CardFacts) -> str:
    branch = f" --revision {facts.revision}" if facts.revision else ""
    return f"`python -m spacy tokclf import-hf {facts.repo} OUT{branch}`"


def _scores(facts: CardFacts) -> list[str]:
    if not facts.scores:
        return ["The pipeline holds no scores: they are measured and stored by `spacy train`."]
    names = {"precision": "precision", "recall": "recall", "f1": "F1", "accuracy": "token accuracy"}
    header = [names[name] for name in facts.scores]
    parts = [
        "Whole entities with their types, in percent, on the development data that chose this pipeline among the "
        "checkpoints of its training. Scores on unseen data can be lower.",
        _table(header, [[_percent(value) for value in facts.scores.values()]]),
    ]
    rows = [(f"`{name}`", *(_percent(scores[key]) for key in "prf")) for name, scores in sorted(facts.per_type.items())]
    return [*parts, _table(("type", "precision", "recall", "F1"), rows)] if rows else parts


def _training(facts: CardFacts) -> list[str]:
    if not facts.scores:
        return ["The pipeline was not trained with `spacy train`, so its hyperparameters are not known here."]
    training = facts.nlp.config.interpolate()["training"]
    chosen = {key: training[key] for key in (*TRAINING, *BLOCKS) if key in training}
    intro = "Trained with `spacy train` and spacy-tokclf. The whole config is in the wheel (`config.cfg`); in short:"
    return [intro, _code("ini", Config({"training": chosen}).to_str().splitlines())]


def _sources(facts: CardFacts) -> list[str]:
    meta = facts.nlp.meta
    parts = []
    sources = meta.get("sources") or []
    rows = [[_link(source), source.get("author") or "", source.get("license") or ""] for source in sources]
    if rows:
        parts += ["What the model was made of:", _table(("", "by", "licence"), rows)]
    elif facts.datasets:
        names = ", ".join(f"[{name}](https://huggingface.co/datasets/{name})" for name in facts.datasets)
        parts.append(f"Trained on {names}.")
    else:
        parts.append("The pipeline does not say what it was trained on (`sources` of its meta.json).")
    stated = meta.get("license")
    file = " (see [LICENSE](LICENSE))" if facts.license_file else ""
    parts.append(
        f"Licence of the model: {stated}{file}."
        if stated
        else "No licence is stated (`license` of its meta.json): ask before you use it."
    )
    return parts


def _link(source: dict[str, str]) -> str:
    return f"[{source['name']}]({source['url']})" if source.get("url") else source["name"]


def _limits(facts: CardFacts) -> Iterable[str]:
    yield "It finds entities of the types above only, and none inside or across another."
    yield "On text of another kind than the training data (topic, style, language) expect worse results."
    if facts.pipe is not None:
        yield (
            "The score of an entity was calibrated on development data: of those with a score of 0.9, about nine in "
            "ten were right there. On other text it promises less."
            if facts.pipe.tuning.calibrates
            else "The score of an entity is the mean probability of its type over its tokens. A score of 0.9 is no "
            "promise that nine in ten such entities are right."
        )
    if facts.checkpoint and facts.pipe is not None:
        best = (
            "the best valid sequence of tags"
            if facts.pipe.cfg["decode"] == "constrained"
            else "the best tag of a token"
        )
        cut = f" and cuts a text off after {facts.checkpoint['model_max_length']} of them"
        yield (
            f"The spaCy pipeline takes {best}, on tokens of spaCy, and reads texts of any length. "
            f'`pipeline("ner")` splits texts in its own way, takes the best tag of each word piece{cut}. The '
            "probabilities of tags are the same, the entities can differ."
        )
        if facts.pipe.tuning.calibrates:
            yield 'The scores of `pipeline("ner")` are such probabilities, and were not calibrated.'
        if threshold := facts.pipe.cfg["threshold"]:
            yield f'The spaCy pipeline drops entities that score less than {threshold}, `pipeline("ner")` keeps them.'


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    header = list(header)
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _code(language: str, lines: Iterable[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"

"""spaCy's transition-based `ner` on the `transformer` of spacy-transformers, as `spacy init config` sets it up."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..clock import measured_epochs
from ..fresh import measured_fresh
from ..texts import measured_pipe

#: Steps of a pipeline that is only timed.
STEPS = 3


def write_config(options: dict[str, Any], path: Path) -> dict[str, Any]:
    """Write spaCy's own template for transformers and accuracy.

    options (dict[str, Any]): "encoder", "train" and "dev".
    path (Path): Where to.
    RETURNS (dict[str, Any]): The overrides that put the encoder and the data in.
    """
    from spacy.cli.init_config import init_config

    init_config(lang="en", pipeline=["ner"], optimize="accuracy", gpu=True, silent=True).to_disk(path)
    paths = {"paths.train": options["train"], "paths.dev": options["dev"]}
    return {**paths, "components.transformer.model.name": options["encoder"]}


def train(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure one epoch of `spacy train` a round.

    options (dict[str, Any]): "encoder", "train" and "dev".
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    folder = Path(tempfile.mkdtemp())
    return measured_epochs(str(folder / "config.cfg"), write_config(options, folder / "config.cfg"))


def trained(options: dict[str, Any]) -> tuple[str, bool]:
    """Find a trained pipeline. If there is none, one is made with hardly any training: it is as fast and as large.

    options (dict[str, Any]): "encoder", "train" and "dev"; "model", a trained pipeline, and "made", where to make one.
    RETURNS (tuple[str, bool]): Its folder, and whether its entities can be scored.
    """
    from spacy.training.initialize import init_nlp
    from spacy.training.loop import train as train_loop
    from spacy.util import load_config

    if Path(options["model"]).is_dir():
        return options["model"], True
    if not Path(options["made"]).is_dir():
        with tempfile.TemporaryDirectory() as name:
            config = Path(name) / "config.cfg"
            given = write_config(options, config)
            given |= {"training.max_steps": STEPS, "training.eval_frequency": STEPS}
            nlp, _ = train_loop(init_nlp(load_config(config, overrides=given)))
        nlp.to_disk(options["made"])
    return options["made"], False


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `nlp.pipe`, from texts to `doc.ents`.

    options (dict[str, Any]): As for `trained` and `measured`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import spacy

    folder, scored = trained(options)
    run = measured_pipe(spacy.load(folder), options)
    return lambda number: {key: value for key, value in run(number).items() if scored or key != "entities"}


def loading(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `spacy.load`.

    options (dict[str, Any]): As for `trained`; "before", what the process has imported.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    return measured_fresh({**options, "timed": f"spacy.load({trained(options)[0]!r})"})

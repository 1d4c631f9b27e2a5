"""An existing pipeline that a token classifier is put into, in the place of its `ner`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.language import Language
from thinc.api import Config

from ..errors import Errors
from ..pipeline.load import load_pipeline

#: Factories of what finds entities by learning, and gives way.
RECOGNIZERS = ("ner", "beam_ner", "token_classifier")
OURS = "token_classifier"
NAME = "ner"


@dataclass(frozen=True)
class Source:
    """A pipeline, and what a config says of it.

    nlp (Language): The pipeline.
    name (str): What the config calls it: its folder, or the name of its package.
    pipe (str): The name of the new component: that of the one in whose place it comes.
    replaced (bool): Whether there was one.
    """

    nlp: Language
    name: str
    pipe: str
    replaced: bool

    @property
    def pipeline(self) -> list[str]:
        """RETURNS (list[str]): The components of the new pipeline, in order."""
        names = list(self.nlp.component_names)
        return names if self.replaced else [*names, self.pipe]

    @property
    def frozen(self) -> list[str]:
        """RETURNS (list[str]): The components that stay as they are."""
        return [name for name in self.pipeline if name != self.pipe]

    @property
    def score_weights(self) -> dict[str, None]:
        """RETURNS (dict[str, None]): The scores of the frozen components, none of which counts."""
        ours = Language.get_factory_meta(OURS).default_score_weights or {}
        frozen = {key for name in self.frozen for key in self.nlp.get_pipe_meta(name).default_score_weights or {}}
        return dict.fromkeys(sorted(frozen - set(ours)))

    @property
    def blocks(self) -> str:
        """RETURNS (str): The section `nlp` of the config, as far as it is not the default of the language, and the
        components that are taken over."""
        default = type(self.nlp)().config["nlp"]
        own = {key: value for key, value in self.nlp.config["nlp"].items() if value != default.get(key)}
        own = {"lang": self.nlp.lang, **own, "pipeline": self.pipeline}
        if "disabled" in own:  # what is to learn cannot be
            own["disabled"] = [name for name in own["disabled"] if name != self.pipe]
        components: dict[str, Any] = {name: {"source": "${paths.source}"} for name in self.frozen}
        text = Config({"nlp": own, "components": components}).to_str()
        return text.replace('"${paths.source}"', "${paths.source}").strip()


def open_source(source: str) -> Source:
    """Load the pipeline that a token classifier is to be put into.

    source (str): Its folder, or the name of its package.
    RETURNS (Source): The pipeline.
    RAISES (ValueError): TC341, if several of its components could give way, or one that does not is called `ner`; as
        `load_pipeline`.
    """
    nlp = load_pipeline(source)
    name = str(Path(source).absolute()) if Path(source).is_dir() else source
    found = [pipe for pipe in nlp.component_names if nlp.get_pipe_meta(pipe).factory in RECOGNIZERS]
    if NAME in found:
        found = [NAME]
    if len(found) > 1 or (not found and NAME in nlp.component_names):
        raise ValueError(Errors.TC341.format(source=source, found=", ".join(found or [NAME])))
    return Source(nlp, name, found[0] if found else NAME, bool(found))

"""The pipeline that a component was made in: what its config says of the component, and keeping that true."""

import weakref
from typing import Any

from spacy.language import Language

from .. import compat

#: Architectures of ours whose settings are attributes of their layer.
ENCODERS = ("spacy-tokclf.TransformerEncoder.v1", "spacy-tokclf.OnnxEncoder.v1")


class Home:
    """A reference to the pipeline that a component was made in. A copy of the component, or one in another process, has
    none: it is in no pipeline yet."""

    def __init__(self, nlp: Language | None = None) -> None:
        """nlp (Language | None): The pipeline, if there is one."""
        self._nlp = None if nlp is None else weakref.ref(nlp)

    def __reduce__(self) -> tuple[Any, ...]:
        return Home, ()

    @property
    def nlp(self) -> Language | None:
        """RETURNS (Language | None): The pipeline, if it still exists."""
        return None if self._nlp is None else self._nlp()

    def name_of(self, pipe: Any) -> str | None:
        """Find a component in the pipeline.

        pipe (Any): The component.
        RETURNS (str | None): The name it goes by there; None if it is not there.
        """
        nlp = self.nlp
        return next((name for name, other in nlp.components if other is pipe), None) if nlp is not None else None

    def config_of(self, pipe: Any) -> dict[str, Any]:
        """Give the config of a component, to be read and changed.

        pipe (Any): The component.
        RETURNS (dict[str, Any]): `nlp.config` shows it; an empty one if the component is not in the pipeline.
        """
        nlp, name = self.nlp, self.name_of(pipe)
        return nlp.get_pipe_config(name) if nlp is not None and name is not None else {}

    def loaded_config_of(self, pipe: Any) -> dict[str, Any]:
        """Give what the config that the pipeline is being loaded with says of a component.

        pipe (Any): The component.
        RETURNS (dict[str, Any]): The config; an empty one if it is not known.
        """
        nlp, name = self.nlp, self.name_of(pipe)
        if nlp is None or name is None:
            return {}
        return compat.loaded_component(nlp, name)


def encoder_blocks(config: Any) -> list[dict[str, Any]]:
    """Find the parts of a config that describe encoders of ours, in the order of the layers.

    config (Any): The config of a component.
    RETURNS (list[dict[str, Any]]): The parts themselves, to be read and changed.
    """
    if not isinstance(config, dict):
        return []
    own = [config] if config.get("@architectures") in ENCODERS else []
    return own + [block for value in config.values() for block in encoder_blocks(value)]

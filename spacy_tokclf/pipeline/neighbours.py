"""Several token classifiers in one pipeline: a span group for each, and a warning where two would share one."""

import warnings
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from spacy.language import Language
from thinc.api import Model

from ..errors import Errors, Warnings
from .scorer import SeqevalScorer
from .settings import AUTO, FIRST_KEY


class Neighbour:
    """A component that hears of its neighbours.

    spaCy tells a component that others may listen to of every component after it, whenever the pipeline changes: one is
    added, sourced, loaded or renamed. There is no other way to hear of a component that is sourced. Nobody listens to
    this one.

    listeners, listening_components, listener_map: Of the protocol; empty.
    """

    name: str
    cfg: Any
    scorer: Any
    listeners: tuple[Model, ...] = ()
    listening_components: tuple[str, ...] = ()
    listener_map: Mapping[str, Any] = MappingProxyType({})
    _warned: tuple[tuple[str, str], ...] = ()

    def add_listener(self, listener: Model, component_name: str) -> None:
        """Do nothing: it has no vectors to give.

        listener (Model): The listener.
        component_name (str): Its component.
        """

    def remove_listener(self, listener: Model, component_name: str) -> bool:
        """Do nothing, since there is none.

        listener (Model): The listener.
        component_name (str): Its component.
        RETURNS (bool): Whether it was there.
        """
        return False

    def find_listeners(self, component: Any) -> None:
        """Look at a component after this one: if both are to use one span group, the other one's `spans_key = "auto"`
        becomes its name; else there is a warning (TW010), once.

        component (Any): The component.
        """
        if component is self or not isinstance(component, Neighbour):
            return
        key = self.cfg["spans_key"]
        if key is None or component.cfg["spans_key"] != key:
            return
        if component.cfg["given"]["spans_key"] == AUTO and component.name != key:
            component.cfg.restore({"spans_key": component.name})
        elif (component.name, key) not in self._warned:
            self._warned = (*self._warned, (component.name, key))
            warnings.warn(Warnings.TW010.format(one=self.name, other=component.name, key=key), stacklevel=2)


def choose_key(setting: str | None, name: str, others: Iterable[Any]) -> str | None:
    """Choose the key of a component's span group.

    setting (str | None): What its config says.
    name (str): Its name.
    others (Iterable[Any]): The components that are there already.
    RETURNS (str | None): The key: for "auto" `entities`, or the name if another component has that.
    """
    if setting != AUTO:
        return setting
    taken = {other.cfg["spans_key"] for other in others if isinstance(other, Neighbour)}
    return name if FIRST_KEY in taken else FIRST_KEY


def check_neighbours(component: Any, nlp: Language | None) -> None:
    """Refuse two token classifiers in one pipeline that would replace each other's entities or scores.

    component (TokenClassifier): The component that is being initialized.
    nlp (Language | None): Its pipeline.
    RAISES (ValueError): TC052, for a span group of two components; TC053, for scores of the same names.
    """
    for name, other in nlp.components if nlp is not None else ():
        if other is component or not isinstance(other, type(component)):
            continue
        key = component.cfg["spans_key"]
        if key is not None and other.cfg["spans_key"] == key:
            raise ValueError(Errors.TC052.format(one=name, other=component.name, key=key))
        prefixes = [pipe.scorer.score_prefix for pipe in (component, other) if isinstance(pipe.scorer, SeqevalScorer)]
        if len(prefixes) == 2 and prefixes[0] == prefixes[1]:
            raise ValueError(Errors.TC053.format(one=name, other=component.name, prefix=prefixes[0]))

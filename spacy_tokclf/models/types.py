"""Names for the types that models pass on. Doc -> Tok2Vec -> token vectors -> head -> token logits."""

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

Tok2VecT = Model[list[Doc], list[Floats2d]]
TokenLogitsT = Model[list[Doc], list[Floats2d]]

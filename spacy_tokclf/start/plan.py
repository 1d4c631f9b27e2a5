"""The numbers of a config, worked out from the data and the encoder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Errors
from . import embedded_encoder

if TYPE_CHECKING:
    from ..models.shim import EncoderShim

#: Texts in a batch: few where there are few, so that an epoch has some steps.
SMALL, LARGE, FEW_TEXTS = 8, 16, 500
#: Tokens of a batch, padding included, if long texts would make it larger.
MAX_TOKENS = 8192
#: What training takes: about this many steps, in no fewer and no more epochs than these.
STEPS, LEAST_EPOCHS, MOST_EPOCHS = 400, 5, 20
#: The small embedded encoder learns at the rate that was chosen for it, and every other at the upper end of what BERT
#: was fine-tuned with (2e-5 to 5e-5: Devlin et al., 2019, appendix A.3).
SMALL_RATE, OTHER_RATE = 1e-4, 5e-5
#: Windows hold this share of the texts whole, if the encoder can see as much at once.
ORDINARY = 0.99
WINDOW_STEP, SMALLEST_WINDOW = 16, 64


@dataclass(frozen=True)
class Plan:
    """What a config says in numbers.

    epochs (int): How often each text is seen.
    steps (int): Batches of an epoch, about.
    batch_size (int): Texts in a batch.
    max_tokens (int): Limit of a batch in tokens; 0 for none.
    rate (float): The highest learning rate.
    window (int): Word pieces that the encoder sees at once.
    overlap (int): Those that neighbouring windows share.
    casing (bool): Whether the encoder lower-cases, and is told how words are cased.
    freeze_embeddings (bool): Whether the embeddings of the word pieces stay as they are.
    """

    epochs: int
    steps: int
    batch_size: int
    max_tokens: int
    rate: float
    window: int
    overlap: int
    casing: bool
    freeze_embeddings: bool


def make_plan(
    tokens: Sequence[int], pieces: Sequence[int], shim: "EncoderShim", *, encoder: str, epochs: int | None = None
) -> Plan:
    """Work out the numbers.

    tokens (Sequence[int]): Tokens of each text to be trained on.
    pieces (Sequence[int]): Word pieces of each text.
    shim (EncoderShim): The encoder.
    encoder (str): Its folder, or its name on the Hub.
    epochs (int | None): How often each text is to be seen; None: as often as the size of the data asks for.
    RETURNS (Plan): The numbers.
    RAISES (ValueError): TC340, for fewer than one epoch.
    """
    if epochs is not None and epochs < 1:
        raise ValueError(Errors.TC340.format(value=epochs))
    batch_size = SMALL if len(tokens) < FEW_TEXTS else LARGE
    steps = math.ceil(len(tokens) / batch_size)
    window = choose_window(pieces, special=shim.tokenizer.n_special, limit=shim.max_pieces)
    embedded = embedded_encoder.embedded_of(encoder)
    return Plan(
        epochs=epochs or min(max(math.ceil(STEPS / steps), LEAST_EPOCHS), MOST_EPOCHS),
        steps=steps,
        batch_size=batch_size,
        max_tokens=MAX_TOKENS if max(tokens) * batch_size > MAX_TOKENS else 0,
        rate=SMALL_RATE if embedded == embedded_encoder.SMALL else OTHER_RATE,
        window=window,
        overlap=window // 8,
        casing=lower_cases(shim.tokenizer.to_str()),
        freeze_embeddings=embedded is not None,
    )


def choose_window(pieces: Sequence[int], *, special: int, limit: int) -> int:
    """Choose how many word pieces the encoder is to see at once: about as many as the longest ordinary texts have, so
    that it reads long texts as it learned to read the others.

    pieces (Sequence[int]): Word pieces of each text.
    special (int): Special pieces of a window.
    limit (int): What the encoder can see at once.
    RETURNS (int): The window, special pieces included.
    """
    ordinary = sorted(pieces)[math.ceil(ORDINARY * len(pieces)) - 1] + special
    return min(max(math.ceil(ordinary / WINDOW_STEP) * WINDOW_STEP, SMALLEST_WINDOW), limit)


def lower_cases(tokenizer_json: str) -> bool:
    """Tell whether a tokenizer takes the case from words.

    tokenizer_json (str): Its tokenizer.json.
    RETURNS (bool): Whether it does.
    """
    from tokenizers import Tokenizer

    normalizer = Tokenizer.from_str(tokenizer_json).normalizer
    return normalizer is not None and "A" not in normalizer.normalize_str("A")

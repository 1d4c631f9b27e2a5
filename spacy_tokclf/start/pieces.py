"""Word pieces of the data: unknown ones, words without any, texts longer than a window."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Errors

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from ..models.shim import EncoderShim


@dataclass
class PieceFacts:
    """Counts over the data.

    window (int): Word pieces that the encoder sees at once, special pieces included.
    pieces (int): Word pieces, special ones left out.
    unknown (int): Those of them that stand for text the tokenizer does not know.
    unseen_words (list[str]): Words without any piece, up to five; the model sees nothing of them.
    n_unseen (int): How often such words occur.
    long_words (list[str]): Words with more pieces than a window holds, up to five; the rest of them is cut off.
    n_long (int): How often such words occur.
    long_texts (int): Texts that take more than one window.
    longest (int): Pieces of the longest text.
    lengths (list[int]): Pieces of each text.
    """

    window: int
    pieces: int = 0
    unknown: int = 0
    unseen_words: list[str] = field(default_factory=list)
    n_unseen: int = 0
    long_words: list[str] = field(default_factory=list)
    n_long: int = 0
    long_texts: int = 0
    longest: int = 0
    lengths: list[int] = field(default_factory=list)

    @property
    def share_unknown(self) -> float:
        """RETURNS (float): The share of the pieces that are unknown."""
        return self.unknown / self.pieces if self.pieces else 0.0


def load_shim(name: str, revision: str | None = None) -> "EncoderShim":
    """Load an encoder.

    name (str): The encoder, as for the loader PretrainedEncoder.
    revision (str | None): Its revision on the Hub.
    RETURNS (EncoderShim): The encoder, with its tokenizer.
    RAISES (OSError): TC010 and TC280 to TC285, if it cannot be loaded.
    RAISES (ValueError): TC011 or TC017, if it has no fast tokenizer.
    """
    from ..models.hf.pretrained import PretrainedEncoder
    from ..models.shim import EncoderShim

    shim = EncoderShim()
    shim.fill(PretrainedEncoder(name, revision)())
    return shim


def piece_facts(docs: Iterable["Doc"], shim: "EncoderShim", *, window: int = 0) -> PieceFacts:
    """Split the words of the data as the encoder will.

    docs (Iterable[Doc]): The data.
    shim (EncoderShim): The encoder.
    window (int): Word pieces in a window, special pieces included; 0 for the encoder's own limit.
    RETURNS (PieceFacts): What was found.
    """
    tokenizer = shim.tokenizer
    facts = PieceFacts(min(window or shim.max_pieces, shim.max_pieces))
    room = facts.window - tokenizer.n_special
    seen: Counter[int] = Counter()
    for doc in docs:
        words = [token.text for token in doc]
        ids = tokenizer.encode_words(words)
        total = sum(map(len, ids))
        for word_ids in ids:
            seen.update(word_ids)
        facts.long_texts += total > room
        facts.longest = max(facts.longest, total)
        facts.lengths.append(total)
        for word, pieces in zip(words, ids, strict=True):
            if not pieces and not word.isspace():
                facts.n_unseen += 1
                _add(facts.unseen_words, word)
            elif len(pieces) > room:
                facts.n_long += 1
                _add(facts.long_words, word)
    unknown = shim.tokenizer_config["special_tokens"].get("unk_token")
    facts.pieces = seen.total()
    facts.unknown = sum(seen[piece] for piece in seen if tokenizer.pieces([piece]) == [unknown])
    return facts


def encoder_in_config(config: dict[str, Any]) -> tuple[str | None, str | None, int]:
    """Read from a training config which encoder it starts from.

    config (dict[str, Any]): A training config.
    RETURNS (tuple[str | None, str | None, int]): Name, revision and window; None as name if the config has none.
    RAISES (ValueError): TC031, for a name or a window that cannot be.
    """
    loaders = [block for block in _blocks(config) if block.get("@misc") == "spacy-tokclf.PretrainedEncoder.v1"]
    loader = loaders[0] if loaders else {}
    layers = [block for block in _blocks(config) if "TransformerEncoder" in str(block.get("@architectures"))]
    name, window = loader.get("name"), layers[0].get("window", 0) if layers else 0
    if name is not None and not isinstance(name, str):
        raise ValueError(Errors.TC031.format(name="name", value=name, expected="the name or the folder of an encoder"))
    if not isinstance(window, int) or window < 0:
        raise ValueError(Errors.TC031.format(name="window", value=window, expected="a whole number of at least 0"))
    return name, loader.get("revision"), window


def _blocks(config: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Walk over the blocks of a config."""
    yield config
    for value in config.values():
        if isinstance(value, dict):
            yield from _blocks(value)


def _add(examples: list[str], word: str) -> None:
    """Keep a word as an example."""
    if len(examples) < 5 and word not in examples:
        examples.append(word)

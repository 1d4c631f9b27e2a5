"""The schedules of the learning rate `spacy-tokclf.warmup_linear.v1` and `.v2`: up from 0, then linearly down to 0."""

from collections.abc import Iterable, Iterator

from thinc.api import warmup_linear

from ..errors import Errors

REFERENCE = "${"


def make_warmup_linear_v1(initial_rate: float, warmup_steps: int = 0, total_steps: int | str = 0) -> Iterable[float]:
    """Make the schedule "spacy-tokclf.warmup_linear.v1": thinc's `warmup_linear.v1` and that of the Hugging Face
    Trainer, which also does without a known end.

    Outside of `spacy train` (in `nlp.initialize`, `nlp.resume_training`, `spacy assemble` and others) spaCy reads the
    optimizer's block alone, so that references in it stay text. Such a total, like 0, means that the end is not known.

    initial_rate (float): The highest rate.
    warmup_steps (int): Steps in which the rate rises from 0 to its highest.
    total_steps (int | str): Step at which the rate, falling from then on, is 0 again. If it is 0 or a reference
        such as "${training.max_steps}", the rate stays at its highest.
    RETURNS (Iterable[float]): The rates, without end.
    RAISES (ValueError): TC031, for a value out of range.
    """
    for name, value in {"initial_rate": initial_rate, "warmup_steps": warmup_steps}.items():
        if value < 0:
            raise ValueError(Errors.TC031.format(name=name, value=value, expected="0 or more"))
    return _make_warmup_linear(initial_rate, warmup_steps, _known_end(total_steps))


def make_warmup_linear_v2(initial_rate: float, warmup: float = 0.1, total_steps: int | str = 0) -> Iterable[float]:
    """Make the schedule "spacy-tokclf.warmup_linear.v2": that of `spacy-tokclf.warmup_linear.v1`, with a warm-up that
    is a share of all steps, so that it need not be changed with them.

    initial_rate (float): The highest rate.
    warmup (float): Share of the steps in which the rate rises from 0 to its highest.
    total_steps (int | str): As in version 1; without a known end there is no share of it, and no warm-up.
    RETURNS (Iterable[float]): The rates, without end.
    RAISES (ValueError): TC031, for a value out of range.
    """
    if initial_rate <= 0:
        raise ValueError(Errors.TC031.format(name="initial_rate", value=initial_rate, expected="a rate above 0"))
    if not 0 <= warmup < 1:
        raise ValueError(Errors.TC031.format(name="warmup", value=warmup, expected="a share of the steps, below 1"))
    end = _known_end(total_steps)
    return _make_warmup_linear(initial_rate, round(warmup * end), end)


def _known_end(total_steps: int | str) -> int:
    """RETURNS (int): The last step, 0 if it is not known."""
    if isinstance(total_steps, str):
        if not total_steps.startswith(REFERENCE):
            raise ValueError(Errors.TC031.format(name="total_steps", value=total_steps, expected="a whole number"))
        return 0
    if total_steps < 0:
        raise ValueError(Errors.TC031.format(name="total_steps", value=total_steps, expected="0 or more"))
    return total_steps


def _make_warmup_linear(rate: float, warmup_steps: int, total_steps: int) -> Iterable[float]:
    return warmup_linear(rate, warmup_steps, total_steps) if total_steps else _rising(rate, warmup_steps)


def _rising(rate: float, warmup_steps: int) -> Iterator[float]:
    for step in range(warmup_steps):
        yield rate * step / warmup_steps
    while True:
        yield rate

"""The learning rate: with a known end as thinc and the Hugging Face Trainer have it, without one it stays."""

from itertools import islice
from typing import Any

import pytest
import torch
from spacy.util import registry
from thinc.api import warmup_linear

from spacy_tokclf.training.schedules import make_warmup_linear_v1, make_warmup_linear_v2

NAME = "spacy-tokclf.warmup_linear.v1"


def rates(*args: Any, n: int = 30) -> list[float]:
    """Give the first rates of a schedule."""
    return list(islice(registry.schedules.get(NAME)(*args), n))


@pytest.mark.parametrize(("warmup", "total"), [(0, 20), (5, 20), (1, 2), (25, 20), (3, 10**6)])
def test_equals_thinc_and_hugging_face(warmup: int, total: int) -> None:
    from transformers import get_linear_schedule_with_warmup

    assert rates(3e-5, warmup, total) == list(islice(warmup_linear(3e-5, warmup, total), 30))
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=3e-5)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, total)
    theirs = []
    for _ in range(30):
        theirs.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates(3e-5, warmup, total) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("total", [0, "${training.max_steps}"])
def test_without_an_end_the_rate_stays(total: int | str) -> None:
    assert rates(4.0, 4, total, n=8) == [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0, 4.0]
    assert rates(4.0, 0, total, n=2) == [4.0, 4.0]
    assert rates(4.0, n=2) == [4.0, 4.0]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("initial_rate", (-1.0,)),
        ("warmup_steps", (1.0, -1)),
        ("total_steps", (1.0, 0, -1)),
        ("total_steps", (1.0, 0, "many")),
    ],
)
def test_values_out_of_range_are_refused_at_once(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=f"TC031.*{name}"):
        make_warmup_linear_v1(*args)


@pytest.mark.parametrize(("share", "total", "steps"), [(0.25, 20, 5), (0.1, 19, 2), (0.0, 20, 0), (0.1, 3, 0)])
def test_a_warm_up_that_is_a_share_is_that_number_of_steps(share: float, total: int, steps: int) -> None:
    second = registry.schedules.get("spacy-tokclf.warmup_linear.v2")(3e-5, share, total)
    assert list(islice(second, 30)) == rates(3e-5, steps, total)


@pytest.mark.parametrize("total", [0, "${training.max_steps}"])
def test_a_share_of_an_unknown_end_is_no_warm_up(total: int | str) -> None:
    assert list(islice(make_warmup_linear_v2(4.0, 0.5, total), 3)) == [4.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("initial_rate", (0.0,)),
        ("initial_rate", (-1.0,)),
        ("warmup", (1.0, -0.1)),
        ("warmup", (1.0, 1.0)),
        ("warmup", (1.0, 100)),
        ("total_steps", (1.0, 0.1, -1)),
        ("total_steps", (1.0, 0.1, "many")),
    ],
)
def test_values_of_the_second_out_of_range_are_refused_at_once(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=f"TC031.*{name}"):
        make_warmup_linear_v2(*args)

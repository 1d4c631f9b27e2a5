"""The options of `annotate --engine`, and what it does with them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Errors, Warnings
from ._printer import msg

_ENGINE = "In shards, which a run that was ended can go on with: local (processes on this machine) or ray (a cluster)"
_WORKERS = "With --engine: how many processes, each with one thread or GPU; else as many as there are cores or GPUs"
_ADDRESS = "With --engine ray: the cluster, such as auto or ray://HOST:10001; else one is made on this machine"
_RESUME = "With --engine: go on where an earlier run into the same folder was ended"

EngineT = Annotated[str | None, typer.Option("--engine", help=_ENGINE)]
WorkersT = Annotated[int | None, typer.Option("--workers", help=_WORKERS)]
ShardRowsT = Annotated[int | None, typer.Option("--shard-rows", help="With --engine: rows of a shard; else 50000")]
ResumeT = Annotated[bool, typer.Option("--resume", help=_RESUME)]
AddressT = Annotated[str | None, typer.Option("--address", help=_ADDRESS)]


def refuse_without_engine(shards: dict[str, Any]) -> None:
    """Refuse options that have no meaning without --engine.

    shards (dict[str, Any]): What was given, by name.
    RAISES (ValueError): TC523.
    """
    given = [f"--{name.replace('_', '-')}" for name, value in shards.items() if value not in (None, False)]
    if given:
        raise ValueError(Errors.TC523.format(option=given[0], how="without --engine"))


def annotate_shards(model: str, source: str, output: str, n_process: int, said: dict[str, Any]) -> None:
    """Annotate a corpus in shards, and say what was done.

    model, source, output (str): What stands on the command line.
    n_process (int): Processes of `nlp.pipe`: 1.
    said (dict[str, Any]): The arguments of `annotate_corpus`; those that are None are left out.
    RAISES (ValueError): TC523; TC537, if no row could be annotated; as annotate_corpus.
    """
    from ..annotation.shards.run import QUARANTINE, annotate_corpus

    if n_process != 1:
        raise ValueError(Errors.TC523.format(option="--n-process", how="with --engine, where --workers are processes"))
    found = annotate_corpus(model, source, output, **{key: value for key, value in said.items() if value is not None})
    if found.failed == found.rows:
        raise ValueError(Errors.TC537.format(total=found.rows, first=found.errors[0]))
    if found.failed:
        facts = {"count": found.failed, "total": found.rows, "first": "\n".join(found.errors)}
        msg.warn(Warnings.TW500.format(path=Path(output) / QUARANTINE, **facts))
    if found.replaced:
        msg.warn(Warnings.TW390.format(keys=", ".join(map(repr, sorted(found.replaced))), path=output))
    before = f", {found.shards - found.made} of them before" if found.made < found.shards else ""
    msg.good(f"{found.entities} entities of {found.rows} rows in {found.shards} shard(s){before}: {output}")

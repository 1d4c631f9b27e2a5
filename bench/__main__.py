"""`python -m bench COMMAND`."""

import argparse
import json
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from wasabi import msg

from . import machine
from .data import find_data
from .rows import print_rows, write_rows
from .system import OLDER_PYTHON, ROOT, Setting

#: What measures, in the order of `all`, and what is made of the rows.
COMMANDS = ("train", "annotate", "latency", "load", "memory", "limit", "curves", "scale")
REPORTS = ("plots", "table")
#: What measures, and is not part of `all`.
ALONE = ("encoder",)
#: What measures in an order of its own, and writes its rows itself.
GPU = "gpu"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the rows.

    arguments (Sequence[str] | None): What stands on the command line; None: that of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure ours beside what people use today.")
    parser.add_argument("command", choices=(*COMMANDS, *ALONE, GPU, *REPORTS, "all"))
    parser.add_argument("--json", type=Path, help="the file for the rows, or the folder of all files [bench/results]")
    parser.add_argument("--model", type=Path, help="the trained pipeline [training/portable/model-best]")
    parser.add_argument(
        "--transition", type=Path, default=Path("training/transition"), help="one of spacy-transformers"
    )
    parser.add_argument("--encoder", type=Path, default=Path("assets/encoder"), help="the pretrained encoder")
    parser.add_argument("--data", type=Path, help="a folder with train.conll, dev.conll, test.conll [as the project]")
    parser.add_argument("--work", type=Path, default=Path("training/bench"), help="the folder for exports and logs")
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="interleaved rounds over all systems",
    )
    parser.add_argument("--posts", type=int, default=800, help="posts of a round of training")
    parser.add_argument("--texts", type=int, default=0, help="texts of a round of annotation; 0: the test set")
    parser.add_argument("--words", type=int, default=1_000_000, help="words of the long runs")
    parser.add_argument("--threads", type=int, default=0, help="threads of every system; 0: as each does by itself")
    parser.add_argument("--only", nargs="+", default=(), metavar="PART", help="only systems whose name has a part")
    parser.add_argument("--older", type=Path, default=OLDER_PYTHON, help="Python of the environment of older peers")
    parser.add_argument("--device", default="cuda:0", help="what `gpu` computes on: a card, or cpu")
    parser.add_argument("--tiny", action="store_true", help="let `gpu` run through with next to nothing")
    parser.add_argument("--minutes", type=float, default=7.0, help="the time that `gpu` may take")
    args = parser.parse_args(arguments)
    out = (args.json or ROOT / "bench" / "results").absolute()
    if args.command in REPORTS:
        import_module(f"bench.commands.{args.command}").report(out)
        return
    setting = make_setting(args, out.parent if out.suffix else out)
    if args.command == GPU:
        how = {"device": args.device, "tiny": args.tiny, "minutes": args.minutes}
        import_module("bench.commands.gpu").run(setting, out if out.suffix else out / f"{GPU}.json", **how)
        return
    if machine.warning():
        msg.warn(machine.warning())
    for command in COMMANDS if args.command == "all" else (args.command,):
        measure(command, setting, out if out.suffix else out / f"{command}.json")
    if args.command == "all":
        import_module("bench.commands.plots").report(out)


def make_setting(args: argparse.Namespace, results: Path) -> Setting:
    """Make the setting, and find the data.

    args (argparse.Namespace): What stands on the command line.
    results (Path): The folder of the rows.
    RETURNS (Setting): The setting.
    """
    data, source = (args.data, args.data.name) if args.data else find_data(Path("assets"))
    return Setting(
        model=(args.model or portable_model()).absolute(),
        transition=args.transition.absolute(),
        encoder=args.encoder.absolute(),
        data=data.absolute(),
        source=source,
        work=args.work.absolute(),
        results=results,
        rounds=args.rounds,
        posts=args.posts,
        texts=args.texts,
        words=args.words,
        threads=args.threads,
        older=args.older.absolute(),
        only=tuple(args.only),
    )


def measure(command: str, setting: Setting, out: Path) -> None:
    """Measure one kind of work. The facts about the machine are written beside the rows.

    command (str): One of COMMANDS or ALONE.
    setting (Setting): The setting.
    out (Path): The file for the rows.
    """
    start = time.perf_counter()
    rows = import_module(f"bench.commands.{command}").measure(setting)
    print_rows(rows)
    write_rows(out, rows)
    (out.parent / "machine.json").write_text(json.dumps(machine.facts(), indent=2) + "\n", encoding="utf8")
    msg.info(f"{command}: {time.perf_counter() - start:.0f} s")


def portable_model() -> Path:
    """RETURNS (Path): The pipeline of `make portable`, which all peers can open; else that of `make run`."""
    portable = Path("training/portable/model-best")
    return portable if portable.is_dir() else Path("training/model-best")


if __name__ == "__main__":
    main()

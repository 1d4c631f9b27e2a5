"""`python -m bench.accuracy`: train and score configs, and write RESULTS.md."""

import argparse
from pathlib import Path

from .study import Study


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description="The accuracy study.")
    parser.add_argument("--out", type=Path, help="the folder for the lines and the page [bench/accuracy]")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="train and score configs; runs that have a line are left out")
    command.add_argument("names", nargs="+", metavar="CONFIG", help="names, or patterns with *")
    command.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    command.add_argument("--test", action="store_true", help="score on test as well, which the ledger records")
    commands.add_parser("page", help="write RESULTS.md and its plots from the lines")
    args = parser.parse_args()
    study = Study(out=args.out and args.out.absolute())
    if args.command == "run":
        from .runner import run

        run(study, args.names, args.seeds, test=args.test)
    else:
        from .page import write_page

        print(write_page(study))


if __name__ == "__main__":
    main()

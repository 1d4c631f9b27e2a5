"""`python -m bench.accuracy`: run the study, look at it, and write its page."""

import argparse

from .configs import all_names, match_names, resolve
from .runner import be_polite, run
from .study import Study


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description="The accuracy study.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="train and score configs; what has been run is left out")
    command.add_argument("names", nargs="+", metavar="CONFIG", help="names, or patterns with *")
    command.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    command.add_argument("--test", action="store_true", help="score on test as well, which the ledger records")
    command.add_argument("--idle", action="store_true", help="compute only while nobody else wants to")
    commands.add_parser("list", help="list the names")
    commands.add_parser("page", help="write RESULTS.md and its pictures from what has been run")
    args = parser.parse_args()
    study = Study()
    if args.command == "run":
        if args.idle:
            be_polite()
        run(study, match_names(study, args.names), args.seeds, test=args.test)
    elif args.command == "list":
        for name in all_names(study):
            print(resolve(study, name).hash, name)
    elif args.command == "page":
        from .page import write_page

        print(write_page(study))


if __name__ == "__main__":
    main()

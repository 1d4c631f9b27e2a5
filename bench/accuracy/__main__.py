"""`python -m bench.accuracy`: train and score configs, and write RESULTS.md."""

import argparse
from pathlib import Path

from wasabi import msg

from .study import Study


def main() -> None:
    """Do what the command line says."""
    args = parse_args()
    study = Study(out=args.out and args.out.absolute())
    if args.command == "page":
        from .page import write_page

        print(write_page(study))
        return
    from . import predictions, runner
    from .configs import find_configs, read_configs
    from .data import get_data

    if args.command == "take":
        for file in args.files:
            msg.good(f"{file}: {'; '.join(predictions.take(study, file))}")
    elif args.command == "choose":
        for name, point in predictions.choose(study, read_configs(study), args.names, args.seeds).items():
            msg.good(f"{name}: {point}")
    elif args.command == "data":
        for config in find_configs(read_configs(study), args.names, study):
            print(get_data(study, config.data, with_dev=config.with_dev))
    else:
        machine = runner.Machine(args.jobs, args.device)
        if args.command == "train":
            how = {"machine": machine, "chosen": args.chosen}
            runner.train(study, args.names, args.seeds, into=args.into, **how)
        else:
            how = {"test": args.test, "trained": args.trained}
            runner.run(study, args.names, args.seeds, machine=machine, **how)


def parse_args() -> argparse.Namespace:
    """RETURNS (argparse.Namespace): The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description="The accuracy study.")
    parser.add_argument("--out", type=Path, help="the folder for the lines and the page [bench/accuracy]")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str, *, seeds: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text)
        command.add_argument("names", nargs="+", metavar="CONFIG", help="names, or patterns with *")
        if seeds:
            command.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
        return command

    run = add("run", "train and score configs; runs that have a line or predictions are not trained again")
    run.add_argument("--test", action="store_true", help="score on test as well, which the ledger records")
    run.add_argument("--trained", action="store_true", help="only those that have been trained")
    train = add("train", "train configs and predict; no gold of test and no git are needed")
    train.add_argument("--into", type=Path, metavar="TAR", help="a file for the predictions, for `take`")
    train.add_argument("--chosen", action="store_true", help="with the points that `choose` has chosen")
    for command in (run, train):
        command.add_argument("--jobs", type=int, default=1, help="how many are trained at a time [1]")
        command.add_argument("--device", default="cpu", help="where encoders run [cpu], such as cuda:0")
    add("choose", "choose the best points on dev of grids, by predictions that are there")
    add("data", "make the data sets of configs", seeds=False)
    take = commands.add_parser("take", help="take over predictions that `train` made on another machine")
    take.add_argument("files", type=Path, nargs="+", metavar="TAR", help="what `train --into` wrote")
    commands.add_parser("page", help="write RESULTS.md and its plots from the lines")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Torture what the package promises: each kind of torture is a module in `scripts/torturing/`. Prints each finding when
it happens, the counts of all outcomes at the end, and exits with 1 if there was a finding.

    python scripts/torture.py save --times 200
"""

import argparse
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "helpers")]

FINDING = "FINDING"


def kinds() -> list[str]:
    """RETURNS (list[str]): The names of the kinds of torture."""
    return sorted(path.stem for path in (HERE / "torturing").glob("[!_]*.py") if "def run(" in path.read_text("utf-8"))


def main(arguments: list[str] | None = None) -> int:
    """Run one kind of torture.

    arguments (list[str] | None): The words of the command line; None for those of this process.
    RETURNS (int): 1, if there was a finding; else 0.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="kind", required=True, metavar="NAME")
    modules = {name: import_module(f"torturing.{name}") for name in kinds()}
    for name, module in modules.items():
        text = str(module.__doc__)
        command = commands.add_parser(
            name, help=text.splitlines()[0], description=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_argument("--times", type=int, default=20, help="How often")
        command.add_argument("--seed", type=int, default=0, help="Of all that is random")
        module.add_options(command)
    options = parser.parse_args(arguments)
    outcomes: Counter[str] = modules[options.kind].run(options)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:>8}  {outcome}")
    return int(any(outcome.startswith(FINDING) for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())

"""The Typer app that all commands belong to, the order in which it lists them, and `--version`."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

#: Commands in the order in which somebody new meets them; those that are not named here follow, by name.
ORDER = (
    *("init", "train", "report", "annotate"),
    *("convert", "debug", "evaluate", "score", "tune", "curve", "distill"),
    *("optimize", "push", "import-hf", "export-hf", "debug-pieces"),
)
#: Packages that decide what is computed.
PACKAGES = ("spacy-tokclf", "spacy", "torch", "transformers", "tokenizers", "numpy")


class _Ordered(TyperGroup):
    """Lists its commands in that order."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands."""
        place = {name: number for number, name in enumerate(ORDER)}
        return sorted(super().list_commands(ctx), key=lambda name: (place.get(name, len(ORDER)), name))


app = typer.Typer(
    name="tokclf",
    help="Entity recognizers from texts of your own. In this order: init, train, report, annotate.",
    no_args_is_help=True,
    cls=_Ordered,
)


def _print_versions(asked: bool) -> None:
    """Print versions and stop. They are looked up, nothing is imported."""
    if not asked:
        return
    for name in PACKAGES:
        try:
            typer.echo(f"{name} {version(name)}")
        except PackageNotFoundError:
            typer.echo(f"{name} is not installed")
    typer.echo(f"python {platform.python_version()}")
    raise typer.Exit


@app.callback()
def main(
    versions: Annotated[
        bool, typer.Option("--version", callback=_print_versions, is_eager=True, help="Show versions and exit")
    ] = False,
) -> None:
    """Take what stands before a command."""

"""`spacy tokclf push`: a pipeline to the Hugging Face Hub."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._app import app
from ._device import DeviceT, on_device
from ._printer import msg
from ._reading import reading
from ._util import failing_cleanly

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions


@app.command("push")
@reading()
def push_cli(
    model: Annotated[str, typer.Argument(help="A pipeline: a folder or the name of an installed package")],
    repo: Annotated[str, typer.Option("--repo", "-r", metavar="USER/NAME", help="The repository, made if need be")],
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="The component, if there are several")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Name of the package, if not that of the pipeline")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", "-v", help="Its version, if not that of the pipeline")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make the repository private")] = False,
    revision: Annotated[str | None, typer.Option("--revision", help="The branch, made if need be; else main")] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="Message of the commit")] = None,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request instead")] = False,
    wheel_only: Annotated[bool, typer.Option("--wheel-only", help="Leave the Hugging Face checkpoint out")] = False,
    dry_run: Annotated[
        Path | None, typer.Option("--dry-run", metavar="DIR", help="Write all files to a new folder; nothing is sent")
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            "--examples", help="Data of which the card shows three texts. They are published: mind the licence"
        ),
    ] = None,
    device: DeviceT = None,
    *,
    options: "ReadOptions",
) -> None:
    """Upload a pipeline to the Hugging Face Hub: its wheel, its Hugging Face checkpoint, and a model card.

    All in one commit. Log in first: `hf auth login`, or HF_TOKEN.
    """
    from ..hub import push, write_tree

    content: dict[str, Any] = {
        "component": component,
        "name": name,
        "version": version,
        "revision": revision,
        "wheel_only": wheel_only,
    }
    with failing_cleanly(), on_device(device):
        if examples is not None:
            content["examples"] = _texts(examples, options)
        if dry_run is not None:
            write_tree(model, dry_run, repo, **content)
            msg.good(f"Wrote {dry_run}; nothing was sent")
            return
        url = push(model, repo, private=private, message=message, create_pr=create_pr, **content)
        msg.good(f"Pushed: {url}")


def _texts(path: Path, options: "ReadOptions") -> list[str]:
    """Read the texts of annotated data; how they are cut into tokens plays no part."""
    import spacy

    from ..corpus.convert import read_file
    from ..errors import Errors

    texts = [doc.text for doc in read_file(path, spacy.blank("xx"), options) if doc.text.strip()]
    if not texts:
        raise ValueError(Errors.TC380.format(path=path))
    return texts

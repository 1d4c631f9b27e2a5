"""`spacy tokclf import-hf`: a Hugging Face token classifier as a pipeline."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ._app import app
from ._util import failing_cleanly


@app.command("import-hf")
def import_hf_cli(
    name: Annotated[str, typer.Argument(help="A model on the Hugging Face Hub, or a folder")],
    output: Annotated[Path, typer.Argument(help="Folder of the new pipeline")],
    revision: Annotated[str | None, typer.Option("--revision", "-r", help="Branch, tag or commit")] = None,
    lang: Annotated[str, typer.Option("--lang", "-l", help="Language of the tokenizer")] = "en",
    component: Annotated[str, typer.Option("--component", "-c", help="Name of the component")] = "ner",
    labels: Annotated[
        str | None, typer.Option("--labels", help="Other names of the labels, in order, with commas between")
    ] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Scheme of the labels, if known better")] = None,
    decode: Annotated[str | None, typer.Option("--decode", "-d", help="constrained or greedy")] = None,
) -> None:
    """Make a pipeline of a Hugging Face token classifier. It predicts at once, and can be trained further."""
    from ..export.folders import check_output
    from ..export.import_hf import import_hf
    from ..runtime.saving import save_pipeline

    with failing_cleanly():
        check_output(output)
        nlp = import_hf(
            name,
            revision=revision,
            lang=lang,
            component=component,
            labels=labels.split(",") if labels is not None else None,
            scheme=scheme,
            decode=decode,
        )
        save_pipeline(nlp, output)
        msg.good(f"Wrote {output}")
        msg.text(f"Labels: {', '.join(nlp.pipe_labels[component])}")

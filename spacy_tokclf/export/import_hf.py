"""Import Hugging Face token classifiers as pipelines that predict at once, and can be trained further."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.training import Example

from ..errors import Errors
from ..models.hf.config_keys import OWN_KEY
from ..models.hf.heads import HeadWeights
from ..models.hf.pretrained import Pretrained, PretrainedEncoder
from ..pipeline.checkpoint_labels import checkpoint_scheme
from ..pipeline.load import blank_pipeline
from ..tags import expected_tags, is_tag_of, split_tag
from ..tags.schemes import PREFIXES
from ..tags.tuning import Tuning
from .export_hf import ENCODER_SETTINGS, TUNING

LEARN_RATE = 5e-5
#: What settings of our own in a `config.json` may hold.
OWN_TYPES: dict[str, Any] = {
    "scheme": str,
    "decode": str,
    "threshold": int | float,
    "window": int,
    "overlap": int,
    TUNING: dict,
}
CALIBRATION = ("slope", "shift")


def import_hf(
    name_or_dir: str | Path,
    *,
    revision: str | None = None,
    lang: str = "en",
    component: str = "ner",
    labels: Sequence[str] | None = None,
    scheme: str | None = None,
    decode: str | None = None,
) -> Language:
    """Make a pipeline of a token classifier from the Hugging Face Hub or a folder.

    The labels stay as they are, in their order. A checkpoint that was exported from here comes back with its scheme,
    decoder, threshold, windows and calibrated scores. For others the scheme is read off the labels, and since IOB1 and
    IOB2 have the same labels, tags are decoded greedily: each token takes its best tag, as in Hugging Face, and any
    sequence of tags is read by the rule of conlleval. If you know that the tags are IOB2, IOBES or BILOU,
    `decode="constrained"` is better.

    The head's dropout becomes `training.dropout`, and `spacy-tokclf.AdamW.v1` the optimizer, for further training.

    name_or_dir (str | Path): A model name on the Hub, or a folder.
    revision (str | None): A branch, tag or commit of the Hub's repository.
    lang (str): Code of the pipeline's language, for its tokenizer.
    component (str): Name of the `token_classifier`.
    labels (Sequence[str] | None): Other names for the labels, in the same order, e.g. for LABEL_0, LABEL_1.
    scheme (str | None): The scheme, if it is known better than from the labels.
    decode (str | None): "constrained" or "greedy".
    RETURNS (Language): The pipeline.
    RAISES (OSError): TC010, if there is no such folder; TC280 to TC285, if the Hub does not give the model.
    RAISES (ValueError): TC011, if it has no fast tokenizer; TC027, if the labels are not of the scheme; TC031, for a
        name of the component that cannot be; TC083 to TC087
        and TC250 to TC254, if its weights, its head or its labels cannot be used; TC139 or TC140, for the language.
    """
    if not component or set(component) & set("./\\"):
        expected = (
            "a name without dots and slashes, since it becomes the name of a folder and of a section of the config"
        )
        raise ValueError(Errors.TC031.format(name="component", value=repr(component), expected=expected))
    pretrained = PretrainedEncoder(str(name_or_dir), revision, head=True)()
    own = _own_settings(pretrained.config.pop(OWN_KEY, None), name=str(name_or_dir))
    if labels is not None:
        pretrained = _rename(pretrained, list(labels), name=str(name_or_dir))
    tags = pretrained.head.tags if pretrained.head is not None else []
    found = own["scheme"] if "scheme" in own and labels is None else checkpoint_scheme(tags, given=labels is not None)
    scheme = found if scheme is None else scheme
    _check_scheme(tags, scheme)
    if pretrained.head is not None:
        pretrained = pretrained._replace(head=pretrained.head._replace(scheme=scheme))
    nlp = blank_pipeline(lang)
    config: dict[str, Any] = {
        "decode": own.get("decode", "greedy") if decode is None else decode,
        "threshold": own.get("threshold", 0.0),
    }
    windows = {key: own[key] for key in ENCODER_SETTINGS if key in own}
    if windows:
        config["model"] = {"tok2vec": windows}
    pipe: Any = nlp.add_pipe("token_classifier", name=component, config=config)
    sample = nlp.make_doc("a")
    pipe.initialize(lambda: [Example(sample, sample)], nlp=nlp, encoder=lambda: pretrained)
    # Bias and temperature are in the weights.
    pipe.cfg["tuning"] = Tuning(**own[TUNING])._asdict() if TUNING in own else None
    _set_training(nlp, pretrained.head)
    return nlp


def _own_settings(found: Any, *, name: str) -> dict[str, Any]:
    """Check what an export from here has added to the config. RAISES (ValueError): TC088."""
    if found is None:
        return {}
    if isinstance(found, dict) and all(_is_a(found[key], OWN_TYPES[key]) for key in OWN_TYPES if key in found):
        fitted = found.get(TUNING, {})
        if set(fitted) <= set(CALIBRATION) and all(_is_a(value, int | float) for value in fitted.values()):
            return dict(found)
    raise ValueError(Errors.TC088.format(name=name, key=OWN_KEY, found=str(found)[:200]))


def _is_a(value: Any, kind: Any) -> bool:
    """Tell whether a value has a type; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _rename(pretrained: Pretrained, labels: list[str], *, name: str) -> Pretrained:
    """Give the rows of a checkpoint's classifier other names."""
    head = pretrained.head
    rows = head.tags if head is not None else []
    if head is None or len(labels) != len(rows):
        raise ValueError(Errors.TC254.format(name=name, expected=len(rows), found=len(labels), rows=", ".join(rows)))
    return pretrained._replace(head=head._replace(tags=labels))


def _check_scheme(tags: list[str], scheme: str) -> None:
    with_prefix = [tag for tag in tags if split_tag(tag)[0] in PREFIXES and split_tag(tag)[1]]
    wrong = [tag for tag in with_prefix if not is_tag_of(tag, scheme)]
    if wrong:
        raise ValueError(Errors.TC027.format(tags=wrong, scheme=scheme, expected=expected_tags(scheme)))


def _set_training(nlp: Language, head: HeadWeights | None) -> None:
    training = nlp.config["training"]
    training["dropout"] = head.dropout if head is not None else 0.1
    training["optimizer"] = {"@optimizers": "spacy-tokclf.AdamW.v1", "learn_rate": LEARN_RATE}

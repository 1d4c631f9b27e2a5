"""Export pipelines to folders that `AutoModelForTokenClassification`, `AutoTokenizer` and `pipeline("ner")` open.

The bias and the temperature that a pipeline was tuned to are folded into the classifier's weights: the logits of the
checkpoint are `tune_logits` of the pipeline's. What Hugging Face has no place for (scheme, decoder, threshold, windows,
the calibration of entity scores) goes into `config.json` under a key of our own, which transformers keeps and ignores,
so that `import_hf` restores it.
"""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import srsly
from spacy.language import Language

from ..errors import Errors
from ..models.head_transform import transform_weights
from ..models.hf.config_keys import OWN_KEY
from ..models.hf.heads import head_of
from ..models.shim import CONFIG, TOKENIZER, TOKENIZER_CONFIG
from ..pipeline.load import load_pipeline
from ..runtime.arrays import to_tensor
from ..runtime.dropout import rng_kept
from ..runtime.files import whole_folder
from ..tags.tuning import tune_logits
from ..wordpieces.prefix import PREFIX_SPACE, with_prefix_space
from .component import Classifier, check_equivalent, find_classifier
from .folders import check_apart, check_target

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Which settings of the component and of its encoder a `config.json` holds under `OWN_KEY`.
PIPE_SETTINGS = ("scheme", "decode", "threshold")
ENCODER_SETTINGS = ("window", "overlap")
TUNING = "tuning"


def export_hf(
    nlp: Language | str | Path, out_dir: str | Path, *, component: str | None = None, force: bool = False
) -> Path:
    """Write a token classifier as a Hugging Face folder. The folder appears whole or not at all.

    nlp (Language | str | Path): The pipeline, or the path or name of a saved one.
    out_dir (str | Path): The folder.
    component (str | None): The `token_classifier`; not needed if there is only one.
    force (bool): Whether to replace an earlier export.
    RETURNS (Path): The folder.
    RAISES (ValueError): TC250, TC255 to TC258, if the component has no Hugging Face equivalent; TC259 or TC260, if
        there is something else in the folder; TC306, if it is in the pipeline.
    """
    out_dir = Path(out_dir).absolute()
    check_target(out_dir, mark=CONFIG, force=force)
    nlp = nlp if isinstance(nlp, Language) else load_pipeline(nlp)
    check_apart(out_dir, nlp.path)
    classifier = find_classifier(nlp, component)
    module: Any = make_checkpoint(classifier)
    with whole_folder(out_dir) as made:
        module.save_pretrained(made)
        write_tokenizer(classifier, made, inputs=set(inspect.signature(module.forward).parameters))
    return out_dir


def make_checkpoint(classifier: Classifier) -> "nn.Module":
    """Make the `...ForTokenClassification` of a component, with copied weights, on the CPU.

    classifier (Classifier): The component with its encoder.
    RETURNS (nn.Module): The model; its logits at the first piece of each token are the component's, tuned.
    RAISES (ValueError): TC250, for an encoder of a type whose head is not known; TC257, for a pooling other than
        "first"; TC258, if the component lacks a part of the head.
    """
    from transformers import AutoModelForTokenClassification

    check_equivalent(classifier)
    state = _head_state(classifier)
    with rng_kept():
        module = AutoModelForTokenClassification.from_config(_config(classifier)).eval()
    prefix = module.base_model_prefix
    own = classifier.shim.module.state_dict()
    state |= {f"{prefix}.{key}": tensor for key, tensor in own.items() if not key.startswith("pooler.")}
    expected = set(module.state_dict())
    missing, unexpected = sorted(expected - set(state)), sorted(set(state) - expected)
    if missing or unexpected:
        raise ValueError(
            Errors.TC258.format(
                name=classifier.pipe.name,
                model_type=classifier.shim.config["model_type"],
                missing=missing,
                unexpected=unexpected,
            )
        )
    module.load_state_dict(state)
    return module


def write_tokenizer(classifier: Classifier, folder: Path, *, inputs: set[str]) -> None:
    """Write a tokenizer in the form that every supported transformers opens.

    classifier (Classifier): The component with its encoder.
    folder (Path): The folder.
    inputs (set[str]): What the model takes.
    """
    shim = classifier.shim
    # Words are always split as after a space; a checkpoint that was imported keeps its own way with whole texts.
    marks = shim.tokenizer_config.get(PREFIX_SPACE, True)
    (folder / TOKENIZER).write_text(with_prefix_space(shim.tokenizer.to_str(), value=marks), encoding="utf-8")
    settings = {key: value for key, value in shim.tokenizer_config_file().items() if key != "pad_id"}
    settings["model_input_names"] = [name for name in settings["model_input_names"] if name in inputs]
    srsly.write_json(folder / TOKENIZER_CONFIG, {**settings, "model_max_length": shim.max_pieces})


def _config(classifier: Classifier) -> Any:
    from transformers import AutoConfig

    pipe, node, shim = classifier
    replaced = ("model_type", "num_labels", "architectures", OWN_KEY)
    settings: dict[str, Any] = {key: value for key, value in shim.config.items() if key not in replaced}
    settings["id2label"] = dict(enumerate(pipe.tags))
    settings["label2id"] = {tag: row for row, tag in enumerate(pipe.tags)}
    own = {key: pipe.cfg[key] for key in PIPE_SETTINGS} | {key: node.attrs[key] for key in ENCODER_SETTINGS}
    if pipe.tuning.calibrates:
        own[TUNING] = {"slope": pipe.tuning.slope, "shift": pipe.tuning.shift}
    return AutoConfig.for_model(shim.config["model_type"], **settings, **{OWN_KEY: own})


def _head_state(classifier: Classifier) -> dict[str, "torch.Tensor"]:
    """Give the weights of the head under their Hugging Face names, bias and temperature folded in."""
    import torch

    pipe = classifier.pipe
    model = pipe.model
    head = head_of(classifier.shim.config["model_type"], name=classifier.pipe.name)
    layer = model.get_ref("output_layer")
    weights, bias = (layer.ops.to_numpy(layer.get_param(name)) for name in ("W", "b"))  # (n_tags, width), (n_tags,)
    arrays = {
        f"{head.classifier}.weight": weights / np.float32(pipe.tuning.temperature),
        f"{head.classifier}.bias": tune_logits(bias, pipe.tuning, pipe.tag_table),
    }
    for key, value in transform_weights(model.get_ref("transform")).items():
        arrays[f"{head.transform or 'head'}.{key}"] = layer.ops.to_numpy(value)
    cpu = torch.device("cpu")
    return {key: to_tensor(value, cpu) for key, value in arrays.items()}

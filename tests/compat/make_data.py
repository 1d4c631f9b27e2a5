"""Make the test data of tests/compat: `python tests/compat/make_data.py checkpoint`, or `pipelines`.

checkpoint: data/checkpoint, a tiny random token classifier, and data/expected.jsonl, what it predicts. Made once: a
    change of these files is a change of what users' models predict.
pipelines: data/pipelines/format-F-transformers-V, pipelines of that checkpoint as the installed versions save them.
    Made for each format of the saved components, with the oldest and the newest transformers.
"""

import json
import sys
from pathlib import Path
from typing import Any

import spacy
import tokenizers
import torch
import transformers
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from spacy_tokclf.export import import_hf, to_hf_entities
from spacy_tokclf.pipeline.token_classifier import FORMAT

DATA = Path(__file__).parent / "data"
CHECKPOINT = DATA / "checkpoint"
EXPECTED = DATA / "expected.jsonl"
PIPELINES = DATA / "pipelines"

TAGS = ["O", "B-person", "I-person", "B-location", "I-location", "B-product", "I-product"]
PIECES = """
a ada and at be by ca el er es falls go in is ka la lo ma met mi new no of on or out quorn ra re ro sa so sta te the to
tr un was we with yo york zorb lax ##a ##al ##ce ##e ##ed ##el ##er ##es ##in ##ing ##la ##lace ##ly ##n ##o ##or ##s
"""
TEXTS = [
    "Ada Lovelace, met Zorblax in Quorn Falls .",
    "so we go to New York , and it was lovely",
    "new phone !! don't   wait \n for the 10km release of #Wibble",
    "ÉTÉ à São Paulo, naïve 中文 text 🙂 and ﬁne ligatures",
    "rain",
    "the met sales office " * 30,  # several windows
    "",
]


def make_tokenizer() -> tokenizers.Tokenizer:
    """RETURNS (tokenizers.Tokenizer): A lower-casing WordPiece tokenizer of about 150 pieces."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *".,!#'", *letters, *(f"##{letter}" for letter in letters), *PIECES.split()]
    tokenizer = tokenizers.Tokenizer(
        models.WordPiece({p: i for i, p in enumerate(dict.fromkeys(pieces))}, unk_token="[UNK]")
    )
    tokenizer.add_special_tokens(special)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", special.index("[CLS]")), ("[SEP]", special.index("[SEP]"))],
    )
    return tokenizer


def make_checkpoint(folder: Path, *, seed: int = 0) -> None:
    """Write a DistilBERT token classifier of two layers with random weights.

    folder (Path): Where to.
    seed (int): Of the weights.
    """
    from transformers import DistilBertConfig, DistilBertForTokenClassification

    tokenizer = make_tokenizer()
    config = DistilBertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=64,
        dim=24,
        hidden_dim=48,
        n_layers=2,
        n_heads=4,
        initializer_range=0.5,
        id2label=dict(enumerate(TAGS)),
        label2id={tag: i for i, tag in enumerate(TAGS)},
    )
    torch.manual_seed(seed)
    module = DistilBertForTokenClassification(config).eval()
    for parameter in module.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, mean=float(parameter.mean()), std=0.2)
    module.classifier.bias.data[0] += 4.0  # most words are no entities
    module.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": True, "model_max_length": 64}
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    (folder / "tokenizer_config.json").write_text(
        json.dumps({**settings, **special}, indent=2) + "\n", encoding="utf-8"
    )


def open_checkpoint(folder: Path = CHECKPOINT) -> Language:
    """RETURNS (Language): The checkpoint as a pipeline that splits texts at spaces: spaCy's own tokenizer takes more
    room on disk than the checkpoint."""
    nlp = import_hf(folder, lang="xx", decode="constrained")
    nlp.tokenizer = Tokenizer(nlp.vocab)
    return nlp


def make_shared(source: Language, folder: Path = CHECKPOINT) -> Language:
    """Give a pipeline with the same encoder in a component of its own, and the same head.

    source (Language): The checkpoint as a pipeline.
    folder (Path): The checkpoint.
    RETURNS (Language): The pipeline.
    """
    nlp = spacy.blank("xx")
    nlp.tokenizer = Tokenizer(nlp.vocab)
    nlp.add_pipe("transformer_encoder", name="transformer")
    listener = {"@architectures": "spacy-tokclf.EncoderListener.v1"}
    nlp.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": listener}})
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(folder)}
    data = source.get_pipe("ner").label_data
    nlp.config["initialize"]["components"] = {"transformer": {"encoder": loader}, "ner": {"labels": data}}
    nlp.initialize()
    nlp.config["initialize"]["components"] = {}
    ours, theirs = (pipeline.get_pipe("ner").model.get_ref("output_layer") for pipeline in (nlp, source))
    for name in ("W", "b"):
        ours.set_param(name, theirs.get_param(name).copy())
    return nlp


def predictions(nlp: Language) -> list[dict[str, Any]]:
    """Give what a pipeline says of TEXTS: the entities (label, first character, one past the last, score), and the
    dictionaries of transformers' `pipeline("ner")`.

    nlp (Language): The pipeline.
    RETURNS (List[Dict[str, Any]]): The text, "entities" and "pieces" of each.
    """
    rows: list[dict[str, Any]] = []
    for doc in nlp.pipe(TEXTS):
        group = doc.spans["entities"]
        scored = zip(group, group.attrs["scores"], strict=True)
        entities = [[span.label_, span.start_char, span.end_char, round(score, 6)] for span, score in scored]
        pieces = [{**piece, "score": round(piece["score"], 6)} for piece in to_hf_entities(doc.text, nlp)]
        rows.append({"text": doc.text, "entities": entities, "pieces": pieces})
    return rows


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main(what: str) -> None:
    """Make one of the two."""
    if what == "checkpoint":
        make_checkpoint(CHECKPOINT)
        nlp = open_checkpoint()
        write_rows(EXPECTED, predictions(nlp))
    elif what == "pipelines":
        folder = PIPELINES / f"format-{FORMAT}-transformers-{transformers.__version__}"
        folder.mkdir(parents=True, exist_ok=True)
        inline = open_checkpoint()
        for name, nlp in (("inline", inline), ("shared", make_shared(inline))):
            nlp.to_disk(folder / name)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")

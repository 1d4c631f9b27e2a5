"""The Hugging Face model with the weights of a pipeline of ours, and batches as the Hugging Face guide makes them."""

from pathlib import Path
from typing import Any

import torch
from spacy.language import Language
from spacy.training import Example

from spacy_tokclf.models.base_shim import encoder_nodes


def encoder_of(nlp: Language) -> torch.nn.Module:
    """Give the torch module in a pipeline."""
    return encoder_nodes(nlp.get_pipe(nlp.pipe_names[0]).model)[0].shims[0].module


def twin_of(nlp: Language, folder: Path) -> Any:
    """Make the Hugging Face model with the same weights."""
    from transformers import AutoModelForTokenClassification

    ner = nlp.get_pipe("ner")
    twin = AutoModelForTokenClassification.from_pretrained(folder, num_labels=len(ner.tags))
    twin.distilbert.load_state_dict(encoder_of(nlp).state_dict())
    layer = ner.model.get_ref("output_layer")
    with torch.no_grad():
        twin.classifier.weight.copy_(torch.tensor(layer.get_param("W")))
        twin.classifier.bias.copy_(torch.tensor(layer.get_param("b")))
    return twin


def collate(folder: Path, examples: list[Example], tags: list[str]) -> dict[str, torch.Tensor]:
    """Tokenize, align and pad as the Hugging Face guide does: the first piece of a word has its label."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    words = [[token.text for token in eg.reference] for eg in examples]
    batch = tokenizer(words, is_split_into_words=True, padding=True, return_tensors="pt")
    labels = torch.full(batch["input_ids"].shape, -100)
    for row, eg in enumerate(examples):
        gold = [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in eg.reference]
        before = None
        for column, word in enumerate(batch.word_ids(row)):
            if word is not None and word != before:
                labels[row, column] = tags.index(gold[word])
            before = word
    return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "labels": labels}

"""Hugging Face's `evaluate.evaluator("token-classification")` on spaCy pipelines, offline.

Import this module only where the extra [evaluate] is installed; nothing else in the package does.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import spacy
from evaluate import evaluator as evaluate_evaluator
from evaluate.evaluator import SUPPORTED_EVALUATOR_TASKS, TokenClassificationEvaluator
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors
from ..metrics import evaluate_module_path
from ..pipeline.load import load_pipeline

TASK = "token-classification"


class Words(list[str]):
    """Texts made of words, which remember the words.

    words (list[list[str]]): The words of each text.
    join_by (str): What stands between two words.
    """

    def __init__(self, words: Iterable[Sequence[str]], join_by: str) -> None:
        """Join the words."""
        self.words = [list(text) for text in words]
        self.join_by = join_by
        super().__init__(join_by.join(text) for text in self.words)


class SpacyPipe:
    """A spaCy pipeline that answers like a token-classification pipeline of transformers.

    nlp (Language): Any pipeline that sets doc.ents.
    """

    task = TASK

    def __init__(self, nlp: Language) -> None:
        """Keep the pipeline."""
        self.nlp = nlp

    def __call__(self, inputs: Sequence[str] | Words, **kwargs: Any) -> list[list[dict[str, Any]]]:
        """Annotate texts. Words are kept as tokens; plain texts are tokenised by the pipeline.

        inputs (Sequence[str]): Texts.
        RETURNS (list[list[dict[str, Any]]]): For each token its IOB2 tag under "entity", with "word", "start", "end".
        """
        if not isinstance(inputs, Words):
            return [self._tokens(doc, [token.idx for token in doc]) for doc in self.nlp.pipe(inputs)]
        docs = self.nlp.pipe(Doc(self.nlp.vocab, words=words) for words in inputs.words)
        return [
            self._tokens(doc, _starts(words, inputs.join_by)) for doc, words in zip(docs, inputs.words, strict=True)
        ]

    @staticmethod
    def _tokens(doc: Doc, starts: Sequence[int]) -> list[dict[str, Any]]:
        """Describe the tokens of a text."""
        return [
            {
                "entity": f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type else "O",
                "word": token.text,
                "start": start,
                "end": start + len(token.text),
            }
            for token, start in zip(doc, starts, strict=True)
        ]


def _starts(words: Sequence[str], join_by: str) -> list[int]:
    """Where words begin in the joined text."""
    starts, place = [], 0
    for word in words:
        starts.append(place)
        place += len(word) + len(join_by)
    return starts


class SpacyTokenClassificationEvaluator(TokenClassificationEvaluator):
    """The evaluator of Hugging Face, for spaCy pipelines beside those of transformers.

    Its own `prepare_pipeline` needs a TensorFlow class that transformers 5 no longer has, and its metric needs the
    network; both are replaced here. Words stay the tokens, so that no tokenizer disturbs the scores.
    """

    def __init__(self, task: str = TASK, default_metric_name: str | None = None) -> None:
        """Set the metric of this package as the default."""
        super().__init__(task, default_metric_name=default_metric_name or evaluate_module_path())

    def prepare_data(
        self, data: Any, input_column: str, label_column: str, join_by: str = " "
    ) -> tuple[dict[str, Any], Words]:
        """Keep the words beside the texts.

        data (Dataset): The data set.
        input_column (str): Column of the words.
        label_column (str): Column of the tags.
        join_by (str): What to put between words.
        RETURNS (tuple[dict[str, Any], Words]): The gold tags as "references", and the texts.
        """
        metric_inputs, _ = super().prepare_data(data, input_column, label_column, join_by)
        references = [list(tags) for tags in metric_inputs["references"]]
        return {"references": references}, Words(data[input_column], join_by)

    def prepare_pipeline(
        self,
        model_or_pipeline: Any,
        tokenizer: Any = None,
        feature_extractor: Any = None,
        device: int | None = None,
    ) -> Any:
        """Take a spaCy pipeline, the name or folder of one, or whatever transformers' own `pipeline` takes.

        model_or_pipeline (Language | str | Callable): The system to evaluate.
        tokenizer (Any): For a model of transformers.
        feature_extractor (Any): For a model of transformers.
        device (int | None): For a model of transformers.
        RETURNS (Callable): The system as a pipeline of transformers.
        RAISES (ValueError): TC230, for a pipeline of another task.
        """
        if isinstance(model_or_pipeline, Language):
            return SpacyPipe(model_or_pipeline)
        if isinstance(model_or_pipeline, (str, Path)):
            name = str(model_or_pipeline)
            if (Path(name) / "config.cfg").exists() or spacy.util.is_package(name):
                return SpacyPipe(load_pipeline(name))
        if not callable(model_or_pipeline) or not hasattr(model_or_pipeline, "task"):
            from transformers import pipeline

            return pipeline(
                self.task,
                model=model_or_pipeline,
                tokenizer=tokenizer,
                feature_extractor=feature_extractor,
                device=device,
            )
        if model_or_pipeline.task != self.task:
            raise ValueError(Errors.TC230.format(found=model_or_pipeline.task, expected=self.task))
        return model_or_pipeline


def register_evaluator() -> SpacyTokenClassificationEvaluator:
    """Make `evaluate.evaluator("token-classification")` give our evaluator in this process, and return one.

    RETURNS (SpacyTokenClassificationEvaluator): The evaluator, for `.compute(model_or_pipeline=nlp, data=dataset)`.
    """
    SUPPORTED_EVALUATOR_TASKS[TASK] = {
        "implementation": SpacyTokenClassificationEvaluator,
        "default_metric_name": evaluate_module_path(),
    }
    return evaluate_evaluator(TASK)

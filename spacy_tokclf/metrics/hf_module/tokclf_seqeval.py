"""The metric that `evaluate.load(evaluate_module_path())` opens: seqeval's scores without seqeval or network."""

import datasets
import evaluate

from spacy_tokclf.metrics import compute

_DESCRIPTION = "Entity scores of tag sequences, equal to those of seqeval 1.2.2 in default and in strict mode."
_INPUTS = """
predictions (list[list[str]]): Predicted tags of each sentence.
references (list[list[str]]): Gold tags of each sentence.
suffix (bool): Whether the prefix stands last, as in "PER-B".
scheme (str | None): IOB1, IOB2, IOE1, IOE2, IOBES or BILOU, for the strict mode; detected if not given.
mode (str | None): "strict", or the default mode, which equals conlleval.
sample_weight: Ignored, as in seqeval.
zero_division (str | int): "warn", 0 or 1.
RETURNS (Dict): For each type {precision, recall, f1, number}; overall_precision, overall_recall, overall_f1,
    overall_accuracy; Python floats and ints.
"""


class TokclfSeqeval(evaluate.Metric):
    """The metric in the form that `evaluate` asks for."""

    def _info(self) -> evaluate.MetricInfo:
        """Say what goes in."""
        sequence = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": sequence, "references": sequence}),
        )

    def _compute(
        self,
        predictions: list[list[str]],
        references: list[list[str]],
        suffix: bool = False,
        scheme: str | None = None,
        mode: str | None = None,
        sample_weight: list[int] | None = None,
        zero_division: str | int = "warn",
    ) -> dict[str, object]:
        """Compute the scores; `evaluate` calls this."""
        return compute(
            [list(tags) for tags in predictions],
            [list(tags) for tags in references],
            suffix=suffix,
            scheme=scheme,
            mode=mode,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )

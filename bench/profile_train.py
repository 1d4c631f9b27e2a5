"""Time steps of our training loop on batches of WNUT-17, and show where the time goes.

`python bench/profile_train.py --encoder assets/encoder --data wnut17train.conll [--precision bf16] [--profile]`
prints posts per second over rounds of the same batches, and with `--profile` the operations that took longest.
"""

import argparse
import random
import statistics
import time
from pathlib import Path

import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed, load_config, registry

from spacy_tokclf import train_step
from spacy_tokclf.corpus import batch_by_length

CONFIG = Path(__file__).parent / "accuracy" / "plain.cfg"


def make_pipeline(encoder: str, data: Path, precision: str) -> tuple[Language, list[list[Example]]]:
    """Make the pipeline of the plain recipe, and batches of the training data.

    encoder (str): A model folder.
    data (Path): The training data, CoNLL.
    precision (str): "fp32", "bf16" or "auto".
    RETURNS (tuple[Language, list[list[Example]]]): The pipeline, and the batches of its first buffer.
    """
    fix_random_seed(0)
    config = load_config(
        CONFIG, overrides={"components.ner.model.tok2vec.precision": precision, "paths.encoder": encoder}
    )
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    examples = list(registry.readers.get("spacy-tokclf.ConllCorpus.v1")(data)(nlp))
    nlp.initialize(lambda: examples)
    random.seed(0)
    random.shuffle(examples)
    return nlp, list(batch_by_length(examples[:1024], size=16, buffer=64))


def main() -> None:
    """Time, and profile if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="assets/encoder", help="a model folder")
    parser.add_argument("--data", type=Path, required=True, help="wnut17train.conll")
    parser.add_argument("--precision", default="bf16", help="fp32, bf16 or auto")
    parser.add_argument("--steps", type=int, default=64, help="batches in a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds over the same batches")
    parser.add_argument("--profile", action="store_true", help="print the operations that took longest")
    args = parser.parse_args()
    nlp, batches = make_pipeline(args.encoder, args.data, args.precision)
    batches = batches[: args.steps]
    optimizer = registry.optimizers.get("spacy-tokclf.AdamW.v1")(1e-4, head_multiplier=10.0)
    posts = sum(map(len, batches))

    def run(some: list[list[Example]]) -> float:
        start = time.perf_counter()
        for batch in some:
            train_step(nlp, batch, optimizer)
        return time.perf_counter() - start

    run(batches[:8])
    rates = [posts / run(batches) for _ in range(args.rounds)]
    print(f"{args.precision}: {statistics.median(rates):.1f} posts/s", [round(rate, 1) for rate in rates])
    if args.profile:
        with torch.profiler.profile() as profile:
            run(batches[:20])
        print(profile.key_averages().table(sort_by="self_cpu_time_total", row_limit=30, max_name_column_width=45))


if __name__ == "__main__":
    main()

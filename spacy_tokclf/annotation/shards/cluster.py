"""The engine `ray`: a pool of actors of Ray Data, on this machine or on those of a cluster."""

import json
import logging
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import Errors
from ...runtime.blame import short
from ...runtime.memory import tune_malloc
from .cut import Shard
from .local import ONE_THREAD
from .work import Annotator, Setting, shard_from_json
from .worker import answered, raise_answered

#: Bytes of the store that actors share on one machine: what travels are names and counts.
_STORE = 100 << 20


class ShardActor:
    """Loads a pipeline once, and annotates the shards that it is given."""

    def __init__(self, setting: str) -> None:
        """Load the pipeline.

        setting (str): What is to be done, as JSON.
        """
        self.annotator: Annotator | None = None
        self.ready = answered(lambda: self._load(json.loads(setting)))

    def _load(self, said: dict[str, Any]) -> dict[str, Any]:
        tune_malloc()
        self.annotator = Annotator(Setting.from_json(said))
        return {}

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Annotate shards.

        batch (dict[str, Any]): "shard", a column of shards as JSON.
        RETURNS (dict[str, Any]): "done", a column of what was made of each, or went wrong, as JSON.
        """
        return {"done": [json.dumps(self._annotate(shard_from_json(json.loads(each)))) for each in batch["shard"]]}

    def _annotate(self, shard: Shard) -> dict[str, Any]:
        annotator = self.annotator
        if annotator is None:
            return self.ready
        return answered(lambda: {"done": annotator.annotate(shard)})


def annotate_on_cluster(
    shards: Iterator[Shard], setting: Setting, *, workers: int | None = None, address: str | None = None
) -> Generator[dict[str, Any], None, None]:
    """Annotate shards in a pool of actors. All of them are cut before the first is annotated. An actor that dies is
    begun anew, and its shard is tried again.

    shards (Iterator[Shard]): The shards.
    setting (Setting): What is to be done; its folder is one that all machines see.
    workers (int | None): How many actors; None: as many as the cluster has cores, or GPUs.
    address (str | None): The cluster; None: one on this machine, for as long as this takes.
    YIELDS (dict[str, Any]): What the manifest says of each, as they are done.
    RAISES (ValueError): TC520, if Ray is not installed; TC521, if it fails; as Annotator.
    """
    todo = [{"shard": json.dumps(shard)} for shard in shards]
    if not todo:
        return
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ValueError(Errors.TC520) from error
    with _cluster(ray, address, workers):
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        on_gpus = setting.kind == "gpu"
        most = workers or max(1, int(ray.cluster_resources().get("GPU" if on_gpus else "CPU", 1)))
        pool = ray.data.ActorPoolStrategy(size=min(most, len(todo)))
        needs: dict[str, Any] = {"num_gpus": 1, "num_cpus": 0} if on_gpus else {"num_cpus": 1}
        if on_gpus:  # Ray shows each actor one GPU of its own, which is the first that it sees
            setting = setting.of_process(0, 1)
        found = ray.data.from_items(todo, override_num_blocks=len(todo)).map_batches(
            ShardActor,
            fn_constructor_args=(json.dumps(setting.to_json()),),
            batch_size=1,
            compute=pool,
            **needs,
        )
        try:
            for row in found.iter_rows():
                yield raise_answered(json.loads(row["done"]))["done"]
        except ray.exceptions.RayError as error:
            raise ValueError(Errors.TC521.format(detail=short(error, limit=300))) from error


@contextmanager
def _cluster(ray: Any, address: str | None, workers: int | None) -> Iterator[None]:
    """Join a cluster, or make one; one that this process has joined already stays."""
    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {"address": address}
    if address is None:
        options = {"address": "local", "num_cpus": workers, "include_dashboard": False, "object_store_memory": _STORE}
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(**options, runtime_env={"env_vars": ONE_THREAD}, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ValueError(Errors.TC521.format(detail=short(error, limit=300))) from error
    try:
        yield
    finally:
        ray.shutdown()

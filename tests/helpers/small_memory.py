"""Backends whose device has memory for so many word pieces, and no more."""

from typing import Any

import pytest
import torch

from spacy_tokclf.models import device_logits
from spacy_tokclf.models.backend import TransformersBackend
from spacy_tokclf.models.padding_free import backend as padding_free


class SmallMemory:
    """Word pieces that fit: in predictions those of a batch, in training those of all batches of a step.

    pieces (int): How many, special pieces and padding included.
    tried (list[int]): Of each attempt, how many there were.
    failed (int): How often they did not fit.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, backward: bool = False) -> None:
        """Take the place of a GPU.

        monkeypatch (pytest.MonkeyPatch): The fixture.
        backward (bool): Whether training fails in the backward pass, when gradients of other weights are there already.
        """
        self.pieces, self.tried, self.failed, self.backward = 10**9, [], 0, backward
        self._step = 0
        monkeypatch.setattr(device_logits, "encoders_run_on_gpu", lambda: True)
        encode, run = padding_free.encode_packed, TransformersBackend._run
        start = {kind: kind.run for kind in (TransformersBackend, padding_free.PaddingFreeBackend)}

        def encode_packed(modules: Any, packed: Any, **options: Any) -> Any:
            self._take(packed.ids.size, options["train"])
            return self._guarded(encode(modules, packed, **options))

        def run_padded(backend: Any, batch: Any, *rest: Any) -> Any:
            self._take(batch.ids.size, backend.module.training)
            return self._guarded(run(backend, batch, *rest))

        def begin(kind: Any) -> Any:
            def run_all(backend: Any, *args: Any, **options: Any) -> Any:
                self._step = 0
                return start[kind](backend, *args, **options)

            return run_all

        monkeypatch.setattr(padding_free, "encode_packed", encode_packed)
        monkeypatch.setattr(TransformersBackend, "_run", run_padded)
        for kind in start:
            monkeypatch.setattr(kind, "run", begin(kind))

    def _take(self, pieces: int, train: bool) -> None:
        self._step = self._step + pieces if train else pieces
        self.tried.append(self._step)
        if not (train and self.backward):
            self._check()

    def _check(self, *_: Any) -> None:
        if self._step > self.pieces:
            self.failed += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    def _guarded(self, vectors: Any) -> Any:
        if self.backward and vectors.requires_grad:
            vectors.register_hook(self._check)
        return vectors

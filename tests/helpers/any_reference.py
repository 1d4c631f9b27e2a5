"""What Hugging Face gives for words, with a tokenizer of any class."""

from pathlib import Path

import hf_reference
from tokenizers import pre_tokenizers


class Reference(hf_reference.Reference):
    """The reference of a token classifier. Not all classes of tokenizers look at `add_prefix_space`."""

    def __init__(self, folder: Path, *, n_tags: int = 5) -> None:
        """folder (Path): The checkpoint. n_tags (int): The number of its labels."""
        super().__init__(folder, n_tags=n_tags)
        backend = self.tokenizer.backend_tokenizer
        if isinstance(backend.pre_tokenizer, pre_tokenizers.ByteLevel):
            backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)

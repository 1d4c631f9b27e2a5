"""Rows of a file with one tag a token, whatever it looks like: what its readers give."""

from dataclasses import dataclass

from ...types import Ints


@dataclass(frozen=True, eq=False)
class Rows:
    """Chosen columns of the rows of a file.

    path (str): The file.
    columns (list[list[str]]): The chosen columns. Shape: (n_rows,) each.
    lines (Ints): Line of each row, from 1. Shape: (n_rows,).
    lengths (Ints): Rows of each sentence. Shape: (n_sentences,).
    scores (list[str] | None): The column of scores, as `# global.columns` names it. Shape: (n_rows,).
    """

    path: str
    columns: list[list[str]]
    lines: Ints
    lengths: Ints
    scores: list[str] | None = None

    def where(self, row: int) -> str:
        """Say where a row stands.

        row (int): Index of the row.
        RETURNS (str): "file:line".
        """
        return f"{self.path}:{self.lines[row]}"

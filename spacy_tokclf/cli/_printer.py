"""What the commands print with: wasabi's printer, which shows control characters instead of sending them."""

from typing import Any

from wasabi import Printer

from ..errors import visible


class _Printer(Printer):
    """wasabi's printer, for texts with names, labels and words from files of others."""

    def text(self, title: Any = "", text: Any = "", **kwargs: Any) -> Any:  # type: ignore[override]
        """Print a message; the other kinds of messages come here, too."""
        return super().text(visible(str(title)), visible(str(text)), **kwargs)

    def divider(self, text: str = "", **kwargs: Any) -> Any:  # type: ignore[override]
        """Print a headline."""
        return super().divider(visible(text), **kwargs)


msg = _Printer()

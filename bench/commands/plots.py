"""`plots`: the rows as pictures, SVG and PNG beside them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wasabi import msg

from ..rows import Row, read_rows
from ..system import OURS

COLOURS = {"fp32": "#1b6ca8", "bf16": "#e07b00", "int8": "#2a9d4a"}
GREY = "#8a8a8a"
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.dpi": 130,
    "svg.hashsalt": "bench",
    "legend.frameon": False,
}


def report(folder: Path) -> None:
    """Draw what there are rows for.

    folder (Path): The folder of the rows; pictures go there as well.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with mpl.rc_context(STYLE):
        for name, files, draw in PICTURES:
            rows = [row for file in files for row in read_rows(folder / f"{file}.json")]
            if not rows:
                msg.info(f"No picture of {name}: {', '.join(f'{file}.json' for file in files)} not there")
                continue
            figure = draw(rows)
            for suffix in ("svg", "png"):
                figure.savefig(folder / f"{name}.{suffix}", metadata={"Date": None} if suffix == "svg" else None)
            plt.close(figure)
            msg.good(f"{folder / name}.svg and .png")


def draw_speed(rows: Sequence[Row]) -> Any:
    """Draw a bar a system: training, annotating, latency and loading.

    rows (Sequence[Row]): The rows.
    RETURNS (Figure): The picture.
    """
    from matplotlib import pyplot as plt

    titles = {
        "train": "training, posts/s",
        "annotate": "annotating, words/s",
        "latency": "one text of 20 words, ms (less is better)",
        "load": "loading, s (less is better)",
    }
    works = [work for work in titles if any(row["work"] == work for row in rows)]
    groups = [[row for row in rows if row["work"] == work] for work in works]
    heights = [len(group) + 2 for group in groups]
    figure, panels = plt.subplots(
        len(works), 1, figsize=(9, 0.24 * sum(heights)), height_ratios=heights, squeeze=False, layout="constrained"
    )
    for axes, work, group in zip(panels[:, 0], works, groups, strict=True):
        group = sorted(group, key=lambda row: row["value"], reverse=work in ("latency", "load"))
        values = [row["value"] for row in group]
        ours = [row["system"].startswith(OURS) for row in group]
        colours = [COLOURS[row["precision"]] for row in group]
        painted = axes.barh(range(len(group)), values, color=colours, alpha=0.45)
        for bar, own in zip(painted, ours, strict=True):
            bar.set_alpha(1.0 if own else 0.45)
        axes.bar_label(painted, [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values], padding=3)
        axes.set_yticks(range(len(group)), [f"{row['system']}, {row['precision']}" for row in group])
        for label, own in zip(axes.get_yticklabels(), ours, strict=True):
            label.set_fontweight("bold" if own else "normal")
        axes.set_title(titles[work], loc="left")
        axes.set_xlim(0, 1.12 * max(values))
        axes.tick_params(axis="y", length=0)
    return figure


def draw_curves(rows: Sequence[Row]) -> Any:
    """Draw words a second against the length of texts and the size of batches.

    rows (Sequence[Row]): The rows.
    RETURNS (Figure): The picture.
    """
    from matplotlib import pyplot as plt

    works = list(dict.fromkeys(row["work"] for row in rows))
    figure, panels = plt.subplots(1, len(works), figsize=(10, 4.6), squeeze=False, sharey=True, layout="constrained")
    for axes, work in zip(panels[0], works, strict=True):
        own = [row for row in rows if row["work"] == work]
        for system, precision in dict.fromkeys((row["system"], row["precision"]) for row in own):
            line = sorted((row for row in own if (row["system"], row["precision"]) == (system, precision)), key=_x)
            axes.plot([row["x"] for row in line], [row["value"] for row in line], **_look(system, precision))
        axes.set_xscale("log", base=2)
        ticks = sorted({_x(row) for row in own})
        axes.set_xticks(ticks, [str(x) for x in ticks])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel(work)
        axes.grid(axis="y", color="#e5e5e5")
    panels[0, 0].set_ylabel("words/s")
    panels[0, 0].yaxis.set_major_formatter("{x:,.0f}")
    _legend(figure, panels[0])
    return figure


def draw_scale(rows: Sequence[Row]) -> Any:
    """Draw time and memory against the number of words.

    rows (Sequence[Row]): The rows.
    RETURNS (Figure): The picture.
    """
    from matplotlib import pyplot as plt

    lines = [row for row in rows if row.get("samples")]
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
    for row in lines:
        words, seconds, _, resident = zip(*row["samples"], strict=True)
        look = {**_look(row["system"], row["precision"]), "marker": ""}
        panels[0].plot([0, *words], [0, *seconds], **look)
        panels[1].plot(words, resident, **look)
    for axes, title in zip(panels, ("seconds", "memory of the process, MiB"), strict=True):
        axes.set_title(title, loc="left")
        axes.set_xlabel("words")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="y", color="#e5e5e5")
    _legend(figure, panels)
    return figure


def _x(row: Row) -> int:
    return int(row["x"])


def _look(system: str, precision: str) -> dict[str, Any]:
    """Colours tell precisions apart, dashes ONNX Runtime, and grey is for the others."""
    ours = system.startswith(OURS)
    dashes = {"ONNX": "--", "one by one": ":", "of that size": "-.", "spaCy alone": ":"}
    return {
        "label": f"{system}, {precision}",
        "color": COLOURS[precision] if ours else GREY,
        "linestyle": next((dash for part, dash in dashes.items() if part in system), "-"),
        "marker": "o",
        "markersize": 3.5,
        "linewidth": 1.8,
    }


def _legend(figure: Any, panels: Sequence[Any]) -> None:
    named = {}
    for axes in panels:
        named.update(dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True)))
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=2)


#: Names of the pictures, the files whose rows they show, and what draws them.
PICTURES: tuple[tuple[str, tuple[str, ...], Callable[[Sequence[Row]], Any]], ...] = (
    ("speed", ("train", "annotate", "latency", "load"), draw_speed),
    ("curves", ("curves",), draw_curves),
    ("scale", ("memory",), draw_scale),
)

"""`plots`: the rows as pictures, SVG and PNG beside them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wasabi import msg

from ..rows import Row, read_rows
from ..system import OURS

COLOURS = {"fp32": "#1b6ca8", "bf16": "#e07b00", "int8": "#2a9d4a"}
GREY = "#8a8a8a"
#: How strong the colours of others are.
PALE = 0.4
WHISKER: dict[str, Any] = {"fmt": "none", "ecolor": "#333333", "elinewidth": 1.0, "capsize": 2.0}
TITLES = {
    "train": "Training, posts/s (frozen: embeddings; older: transformers)",
    "annotate": "Annotating, words/s (by 32: in batches; older: transformers)",
    "latency": "One text of 20 words, ms (less is better)",
    "load": "Loading, s (less is better; warm: transformers imported before)",
}
#: What the names of systems have in the rows -> what they have in pictures.
SHORT = {
    f"{OURS} spacy train": OURS,
    f"{OURS} nlp.pipe": OURS,
    f"{OURS} nlp(text)": OURS,
    f"{OURS} spacy.load": OURS,
    "ONNX Runtime by hand": "ONNX by hand",
    "ONNX Runtime": "ONNX",
    " + transition NER": ", transitions",
    "tutorial recipe": "tutorial",
    "group_by_length": "by length",
    "sorted batches of 32": "sorted, by 32",
    "batches of 32": "by 32",
    "frozen embeddings": "frozen",
    "transformers imported": "warm",
    "older transformers": "older",
}
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


def short_name(system: str) -> str:
    """Name a system without what its panel says already.

    system (str): Its name in the rows.
    RETURNS (str): A shorter one.
    """
    for long, short in SHORT.items():
        system = system.replace(long, short)
    return system


def draw_speed(rows: Sequence[Row]) -> Any:
    """Draw a bar a system: training, annotating, latency and loading, with the fastest and the slowest round.

    rows (Sequence[Row]): The rows.
    RETURNS (Figure): The picture.
    """
    from matplotlib import pyplot as plt

    works = [work for work in TITLES if any(row["work"] == work for row in rows)]
    groups = [[row for row in rows if row["work"] == work] for work in works]
    heights = [len(group) + 2 for group in groups]
    figure, panels = plt.subplots(
        len(works),
        1,
        figsize=(8, 0.24 * sum(heights) + 0.5),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axes, work, group in zip(panels[:, 0], works, groups, strict=True):
        group = sorted(group, key=lambda row: row["value"], reverse=work in ("latency", "load"))
        _bars(axes, group)
        axes.set_title(TITLES[work], loc="left")
        axes.xaxis.set_major_formatter("{x:,g}")
    _legend_of_bars(figure, {row["precision"] for row in rows})
    return figure


def _bars(axes: Any, group: Sequence[Row]) -> None:
    """Draw the bars of a panel, from zero; the whiskers reach from the lowest to the highest round."""
    values = [row["value"] for row in group]
    ours = [row["system"].startswith(OURS) for row in group]
    painted = axes.barh(range(len(group)), values, color=[COLOURS[row["precision"]] for row in group])
    for bar, own in zip(painted, ours, strict=True):
        bar.set_alpha(1.0 if own else PALE)
    ends = [[row["value"] - min(row["values"]) for row in group], [max(row["values"]) - row["value"] for row in group]]
    axes.errorbar(values, range(len(group)), xerr=ends, **WHISKER)
    for place, row in enumerate(group):
        value, end = row["value"], max(row["values"])
        text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        axes.annotate(text, (end, place), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(group)), [short_name(row["system"]) for row in group])
    for label, own in zip(axes.get_yticklabels(), ours, strict=True):
        label.set_fontweight("bold" if own else "normal")
    axes.set_xlim(0, 1.1 * max(max(row["values"]) for row in group))
    axes.tick_params(axis="y", length=0)


def _legend_of_bars(figure: Any, precisions: set[str]) -> None:
    """Say what the colours, their strength and the whiskers mean."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=COLOURS[name], label=name) for name in COLOURS if name in precisions]
    handles += [
        Patch(color="black", label=OURS),
        Patch(color="black", alpha=PALE, label="others"),
        Line2D([], [], color=WHISKER["ecolor"], marker="|", label="slowest to fastest round; bar: median"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=1.2, columnspacing=1.2)


def draw_curves(rows: Sequence[Row]) -> Any:
    """Draw words a second against the length of texts and the size of batches: the median of the rounds, over a band
    from the slowest to the fastest.

    rows (Sequence[Row]): The rows.
    RETURNS (Figure): The picture.
    """
    from matplotlib import pyplot as plt

    works = list(dict.fromkeys(row["work"] for row in rows))
    figure, panels = plt.subplots(1, len(works), figsize=(9, 4.8), squeeze=False, sharey=True, layout="constrained")
    for axes, work in zip(panels[0], works, strict=True):
        own = [row for row in rows if row["work"] == work]
        for system, precision in dict.fromkeys((row["system"], row["precision"]) for row in own):
            line = sorted((row for row in own if (row["system"], row["precision"]) == (system, precision)), key=_x)
            places, look = [row["x"] for row in line], _look(system, precision)
            axes.plot(places, [row["value"] for row in line], **look)
            ends = ([end(row["values"]) for row in line] for end in (min, max))
            axes.fill_between(places, *ends, color=look["color"], alpha=0.18, linewidth=0)
        axes.set_xscale("log", base=2)
        ticks = sorted({_x(row) for row in own})
        axes.set_xticks(ticks, [str(x) for x in ticks])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"{work} (logarithmic)")
        axes.grid(axis="y", color="#e5e5e5")
    panels[0, 0].set_ylabel("words/s; band: slowest to fastest round")
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
    for axes, title in zip(panels, ("Seconds, one run", "Memory of the process, MiB, one run"), strict=True):
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
        "label": f"{short_name(system)}, {precision}",
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

"""How all figures look and are written: fonts that hold Chinese, one palette, bytes that do not change by themselves.

matplotlib is imported only when something is drawn, and used without pyplot, so that no global state and no display is
touched. SVG keeps text as text: browsers draw Chinese with their own fonts.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.money import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LATIN_FONTS = ("DejaVu Sans",)
CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
    "Arial Unicode MS",
)
"""Tried in this order; the first installed ones are used."""

BLUE, ORANGE, GREEN, RED, GREY, PALE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#6B7280", "#E5E7EB"
"""Okabe and Ito's colours, told apart by colour-blind readers."""

LABELS: dict[str, tuple[str, str]] = {
    "funnel": ("Sales funnel, a year", "销售漏斗 (全年)"),
    "entered": ("leads that entered the stage", "进入该阶段的线索"),
    "attainment_by_rep": ("Attainment per rep, a year", "各销售达成率 (全年)"),
    "attainment": ("attainment = sales / quota", "达成率 = 签约额 / 指标"),
    "chance": ("chance", "达标概率"),
    "plan_differences": ("Plans against", "方案对比"),
    "sales_difference": ("difference in expected sales", "预期签约额之差"),
    "attainment_difference": ("difference in average attainment, points", "平均达成率之差, 百分点"),
    "hit_rate_difference": ("difference in hit rate, points", "达标率之差, 百分点"),
    "chance_of_target_difference": (
        "difference in the chance of the company target, points",
        "公司目标达成概率之差, 百分点",
    ),
    "hit_rate": ("hit rate", "达标率"),
    "chance_of_target": ("chance of the company target", "公司目标达成概率"),
    "chance_of_quota_sum": ("chance that sales reach the quota sum", "销售额达到指标总和的概率"),
    "proven": ("proven", "已证实"),
    "likely": ("likely", "较可能"),
    "not proven": ("not proven", "未证实"),
    "equal": ("equal", "相等"),
    "year_range": ("A year's sales, P10 to P90", "年度签约额波动范围 P10-P90"),
    "target": ("target", "目标"),
    "quota_potential": ("Quota / potential against the company's", "指标潜力比 (相对公司)"),
    "times_company": ("company = 100 %", "公司 = 100 %"),
    "trade": ("What a quota sum buys", "指标总和的取舍"),
    "quota_sum": ("quota sum / company target", "指标总和 / 公司目标"),
    "workload": ("Workload", "工作负荷率"),
    "workload_axis": ("hours used / hours available", "已用工时 / 可用工时"),
    "limit": ("limit", "上限"),
    "frontier": ("Cost of fairness", "公平成本"),
    "frontier_cost": ("cost in capped attainment, points", "封顶达成率损失, 百分点"),
    "spread_of_chances": ("spread of the chances to make quota", "达标概率的离散程度"),
    "gini": ("Gini index of quota / potential", "指标潜力比的基尼系数"),
    "knee": ("knee", "拐点"),
    "cost_not_proven": ("not proven best: cost between dot and line's end", "未证实最优: 成本在圆点与线端之间"),
    "undecided": ("undecided", "未定"),
    "no_plan_at_any": ("no value has a plan", "各限值均无可行方案"),
    "off": ("off", "不设"),
}
"""Words of the figures: key -> (English, 中文)."""


class MissingGlyphs(UserWarning):
    """No installed font can draw some characters of a figure; PNG files show boxes in their place."""


def label(key: str, language: Language) -> str:
    """A word of the figures."""
    return LABELS[key][language == "zh"]


@dataclass(frozen=True)
class Drawing:
    """A finished figure.

    Attributes:
        name: short, fit for a file name.
        alt: what the figure shows, in words, for readers who do not see it.
    """

    name: str
    alt: str
    figure: Figure

    def __post_init__(self) -> None:
        # The layout engine moves things a little on every draw: let it settle once, then leave them where they are.
        with style(self.name), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    def svg(self) -> bytes:
        """A complete SVG file; the same figure gives the same bytes."""
        return self._written("svg", metadata={"Date": None, "Creator": None})

    def inline_svg(self) -> str:
        """The ``<svg>`` element alone, to be put into an HTML page."""
        text = self.svg().decode("utf-8")
        return text[text.index("<svg") :]

    def png(self, dpi: int = 150) -> bytes:
        """A PNG file; the same figure gives the same bytes."""
        return self._written("png", metadata={"Software": None}, dpi=dpi)

    def save(self, path: str | Path) -> Path:
        """Write as the file's ending says, ``.svg`` or ``.png``.

        Raises:
            ValueError: another ending.
        """
        target = Path(path)
        if target.suffix not in (".svg", ".png"):
            raise ValueError(f"a figure is written as .svg or .png, got {target.name!r}")
        target.write_bytes(self.svg() if target.suffix == ".svg" else self.png())
        return target

    def _written(self, kind: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        with style(self.name):
            _warn_of_missing(self.figure)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Glyph .* missing from")
                self.figure.savefig(buffer, format=kind, **options)
        return buffer.getvalue()


@contextmanager
def style(name: str = "") -> Iterator[None]:
    """matplotlib's settings for our figures, for the time of the block only.

    Args:
        name: of the figure; ids inside an SVG follow from it, so figures may share a page.
    """
    import matplotlib

    settings: dict[str, Any] = {
        "font.family": [*usable_fonts(), "sans-serif"],
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        # A dollar sign in a name is a dollar sign.
        "text.parse_math": False,
        "axes.axisbelow": True,
        "grid.color": PALE,
        "svg.fonttype": "none",
        "svg.hashsalt": f"quotalab {name}",
    }
    context: Any = matplotlib.rc_context
    with context(settings):
        yield


def canvas(name: str, rows: int, title: str, height: float | None = None) -> tuple[Figure, Axes]:
    """An empty figure with one pair of axes, as tall as its rows need. Call inside :func:`style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height or 1.1 + 0.3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    figure.set_gid(name)
    return figure, axes


def rows_axis(axes: Axes, names: Sequence[str]) -> None:
    """One named row a thing, the first on top."""
    axes.set_yticks(range(len(names)), labels=list(names))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def marked_line(axes: Axes, x: float, text: str) -> None:
    """A dashed vertical line with its name above the plot."""
    axes.axvline(x, color=RED, linewidth=1, linestyle="--")
    axes.annotate(text, (x, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", color=RED)


def per_cent(axis: Any) -> None:
    """Shares as per cent on an axis."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=" %"))


@lru_cache(maxsize=1)
def usable_fonts() -> tuple[str, ...]:
    """The installed ones of our fonts, in order of preference."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in (*LATIN_FONTS, *CJK_FONTS) if name in installed)


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    """Code points that the usable fonts hold together."""
    from matplotlib import font_manager

    points: set[int] = set()
    for name in usable_fonts():
        path = font_manager.findfont(font_manager.FontProperties(family=name))
        points |= set(font_manager.get_font(path).get_charmap())
    return frozenset(points)


_warned: set[str] = set()


def _warn_of_missing(figure: Figure) -> None:
    """Warn once in a process where some character has no font."""
    from matplotlib.text import Text

    texts = "".join(str(text.get_text()) for text in figure.findobj(Text))
    missing = sorted({sign for sign in texts if ord(sign) not in _drawable() and sign.isprintable()})
    if missing and "glyphs" not in _warned:
        _warned.add("glyphs")
        shown = "".join(missing[:10])
        warnings.warn(
            f"no installed font has the characters {shown}: PNG figures show boxes in their place; "
            f"install a Chinese font, for example Noto Sans CJK SC",
            MissingGlyphs,
            stacklevel=4,
        )

"""Line charts as SVG: as many panels side by side as there are things to show against one axis."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log2, log10
from pathlib import Path

from attrs import frozen

WIDTH, HEIGHT = 420, 300  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 54, 44
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#7f7f7f")
STYLE = "text{font:12px sans-serif;fill:#555}path{fill:none;stroke-width:2}.grid{stroke:#8884}"


@frozen
class Panel:
    """One chart; each line has a value for each of `xs`, which are drawn a doubling apart."""

    title: str
    xs: Sequence[int]
    lines: Mapping[str, Sequence[float]]
    x_title: str = "users at once"
    is_logarithmic: bool = False

    def x(self, value: float) -> float:
        """Where a value is from the left."""
        span = log2(self.xs[-1] / self.xs[0]) or 1
        return LEFT + (WIDTH - LEFT - RIGHT) * log2(value / self.xs[0]) / span

    def y(self, value: float) -> float:
        """Where a value is from the top."""
        first, last = self.ticks[0], self.ticks[-1]
        share = (value - first) / (last - first)
        if self.is_logarithmic:
            share = log2(value / first) / log2(last / first)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    @property
    def ticks(self) -> list[float]:
        """Powers of ten around all values; or from 0 four steps of 1, 2 or 5 times one."""
        values = [value for line in self.lines.values() for value in line]
        if self.is_logarithmic:
            powers = range(floor(log10(min(values))), ceil(log10(max(values))) + 1)
            return [10.0**power for power in powers]
        steps = (factor * 10.0**power for power in range(-3, 7) for factor in (1, 2, 5))
        step = next(step for step in steps if 4 * step >= max(values))
        return [step * number for number in range(5)]


def draw(path: Path, panels: Sequence[Panel]) -> None:
    """Write the panels to a file."""
    width = WIDTH * len(panels)
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}">\n'
        f"<style>{STYLE}</style>\n"
        + "".join(
            f'<g transform="translate({WIDTH * number})">\n{"".join(_panel(panel))}</g>\n'
            for number, panel in enumerate(panels)
        )
        + "</svg>\n"
    )


def _panel(panel: Panel) -> Iterator[str]:
    yield _text(LEFT, 16, panel.title)
    yield _text(WIDTH - RIGHT, HEIGHT - 8, panel.x_title, "end")
    for value in panel.ticks:
        y = panel.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>\n'
        yield _text(LEFT - 6, y + 4, f"{value:g}", "end")
    for x in panel.xs:
        yield _text(panel.x(x), HEIGHT - BOTTOM + 16, str(x), "middle")
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [f"{panel.x(x):.1f},{panel.y(y):.1f}" for x, y in zip(panel.xs, line, strict=True)]
        yield f'<path stroke="{colour}" d="M{" L".join(points)}"/>\n'
        yield _text(LEFT + 6 + 90 * (number % 4), 30 + 13 * (number // 4), name, colour=colour)


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "") -> str:
    style = f' style="fill:{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>\n'

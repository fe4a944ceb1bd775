"""The report's page: one HTML file without a script, a picture file or a request, readable in light and dark, by eye and by ear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..language import gettext, language

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1b1b; --faint: #55585e; --line: #c9ccd2; --bar: #0b5fa5; --second: #a34400;
  --new: #ffe08a; --h1: #ffeede; --h2: #ffd3ae; --h3: #ffb478; --h4: #ff944a; --p1: #dcebf9; --p2: #a9d0f2; --p3: #74b3ea; --cell: 11, 95, 165; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171b; --ink: #e9e9e9; --faint: #b3b7bf; --line: #44484f; --bar: #7ab8ef; --second: #f0a26a;
  --new: #5f4b00; --h1: #3a2817; --h2: #5b3715; --h3: #7b4310; --h4: #984d06; --p1: #1b3044; --p2: #1f4a70; --p3: #215f96; --cell: 33, 95, 150; } }
body { margin: 0 auto; max-width: 52rem; padding: 1rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.6 system-ui, "Segoe UI", sans-serif; }
h1 { line-height: 1.25; } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.25rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } caption { text-align: start; color: var(--faint); padding-bottom: .4rem; }
th, td { text-align: start; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: normal; }
thead th, tr.ours th, tr.ours td { font-weight: 700; } td.number, th.number { text-align: end; }
td.bar { width: 40%; min-width: 7rem; } td.bar div { height: .9rem; background: var(--bar); } tr.ours td.bar div { background: var(--second); }
pre, .text { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9rem; line-height: 1.75; white-space: pre-wrap; overflow-wrap: anywhere; }
.text { border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem; margin: .5rem 0 1rem; }
mark { background: var(--new); color: inherit; text-decoration: underline dotted; }
.h1 { background: var(--h1); } .h2 { background: var(--h2); } .h3 { background: var(--h3); } .h4 { background: var(--h4); }
.p1 { background: var(--p1); } .p2 { background: var(--p2); } .p3 { background: var(--p3); }
.legend span { padding: 0 .35rem; margin-inline-end: .35rem; }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 2px solid var(--bar); }
.confusions td { min-width: 2.2rem; padding: .2rem .4rem; text-align: end; } .confusions th { white-space: nowrap; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .axis { stroke: var(--line); }
svg .one { stroke: var(--bar); fill: none; stroke-width: 2; } svg .two { stroke: var(--second); fill: none; stroke-width: 2; stroke-dasharray: 6 4; }
svg .best { fill: var(--second); } .faint { color: var(--faint); } summary { cursor: pointer; }
"""


def page(title: str, sections: Iterable[str]) -> str:
    """The whole file. title: plain text. sections: HTML, as the functions below make it. The page may load nothing from anywhere."""
    spoken = language().replace("_", "-")
    return (
        f'<!DOCTYPE html>\n<html lang="{spoken}">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(sections)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(heading: str, *parts: str) -> str:
    """A heading of plain text, and HTML below it."""
    return f"<section>\n<h2>{escape(heading)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def _class(name: str) -> str:
    """The attribute, or nothing for no class."""
    return f' class="{name}"' if name else ""


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], ours: str = "", numbers: Sequence[int] = ()) -> str:
    """A table of plain text whose first column names the rows. ours: the name of the row to point out. numbers: columns that are set flush right."""
    kinds = ["number" if i in numbers else "" for i in range(len(heads))]
    head = "".join(f'<th scope="col"{_class(kind)}>{escape(name)}</th>' for kind, name in zip(kinds, heads, strict=True))
    lines = []
    for first, *rest in rows:
        cells = "".join(f'<td{_class(kind)} dir="auto">{escape(str(cell))}</td>' for kind, cell in zip(kinds[1:], rest, strict=True))
        row_class = _class("ours" if ours and first == ours else "")
        lines.append(f'<tr{row_class}><th scope="row" dir="auto">{escape(str(first))}</th>{cells}</tr>')
    return _wide(
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>", caption
    )


def bars(caption: str, heads: Sequence[str], rows: Sequence[tuple[str, float]], ours: str, digits: int = 3) -> str:
    """A table with a bar beside each number, as long as the number is large."""
    most = max(value for _, value in rows) or 1.0
    lines = [
        f'<tr{_class("ours" if name == ours else "")}><th scope="row">{escape(name)}</th><td class="number">{value:.{digits}f}</td>'
        f'<td class="bar"><div style="width:{100 * value / most:.1f}%"></div></td></tr>'
        for name, value in rows
    ]
    head = f'<th scope="col">{escape(heads[0])}</th><th scope="col" class="number">{escape(heads[1])}</th><td></td>'
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _wide(html: str, name: str) -> str:
    """What may be wider than a window scrolls by itself, with the keyboard, too."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{escape(name)}">{html}</div>'


def confusion_table(caption: str, names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """A row for each label, a column for each prediction; the share of the row is the shade."""
    head = "".join(f'<th scope="col" dir="auto">{escape(name)}</th>' for name in names)
    lines = []
    for name, row in zip(names, counts, strict=True):
        total = sum(row) or 1
        cells = "".join(f'<td style="background:rgba(var(--cell),{0.45 * count / total:.2f})">{count or "·"}</td>' for count in row)
        lines.append(f'<tr><th scope="row" dir="auto">{escape(name)}</th>{cells}</tr>')
    return _wide(
        f'<table class="confusions"><caption>{escape(caption)}</caption><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>',
        caption,
    )


def shaded(text: str, kinds: Sequence[str], titles: Sequence[str] | None = None) -> str:
    """Text whose characters have a shade each, by a class of the style sheet ("" for none). Neighbours without a title of their own share a span."""
    spans: list[str] = []
    start = 0
    for i in range(1, len(text) + 1):
        if i < len(text) and titles is None and kinds[i] == kinds[start]:
            continue
        piece = escape(text[start:i])
        attributes = f' class="{kinds[start]}"' if kinds[start] else ""
        attributes += f' title="{escape(titles[start])}"' if titles is not None else ""
        spans.append(f"<span{attributes}>{piece}</span>" if attributes else piece)
        start = i
    return f'<div class="text" dir="auto" lang="">{"".join(spans)}</div>'


def legend(entries: Iterable[tuple[str, str]]) -> str:
    """What shades mean: pairs of a class and plain text."""
    return '<p class="legend">' + "".join(f'<span class="{kind}">{escape(text)}</span>' for kind, text in entries) + "</p>"


def curves(caption: str, x: Sequence[float], training: Sequence[float], validation: Sequence[float], across: str, up: str) -> str:
    """Training and validation loss as an SVG picture with a description, and its numbers in a folded table."""
    W, H, left, right, top, bottom = 680, 300, 56, 16, 16, 44
    low, high = min(*training, *validation), max(*training, *validation)
    low, high = low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1)

    def place(i: int, value: float) -> tuple[float, float]:
        return left + (W - left - right) * x[i] / x[-1], H - bottom - (H - top - bottom) * (value - low) / (high - low)

    def line(values: Sequence[float], kind: str) -> str:
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in (place(i, value) for i, value in enumerate(values)))
        return f'<polyline class="{kind}" points="{points}"/>'

    ticks = []
    for k in range(5):
        value = low + (high - low) * k / 4
        y = place(0, value)[1]
        ticks.append(f'<line class="axis" x1="{left}" x2="{W - right}" y1="{y:.1f}" y2="{y:.1f}"/><text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>')
        position = x[-1] * k / 4
        ticks.append(f'<text x="{left + (W - left - right) * k / 4:.1f}" y="{H - bottom + 18}" text-anchor="middle">{position:,.0f}</text>')
    best = min(range(len(validation)), key=validation.__getitem__)
    a, b = place(best, validation[best])
    said = gettext(
        "{up} against {across}. Training falls from {first} to {last}; validation from {begin} to {end}, lowest at {place} with {least}."
    ).format(
        up=up, across=across, first=f"{training[0]:.2f}", last=f"{training[-1]:.2f}", begin=f"{validation[0]:.2f}", end=f"{validation[-1]:.2f}",
        place=f"{x[best]:,.0f}", least=f"{validation[best]:.2f}",
    )  # fmt: skip
    drawn = gettext("{up}: training (solid), validation (dashed, best marked)").format(up=up)
    picture = (
        f'<svg viewBox="0 0 {W} {H}" width="{W}" height="{H}" role="img" aria-label="{escape(said)}">{"".join(ticks)}'
        f'{line(training, "one")}{line(validation, "two")}<circle class="best" cx="{a:.1f}" cy="{b:.1f}" r="4"/>'
        f'<text x="{(left + W - right) / 2}" y="{H - 6}" text-anchor="middle">{escape(across)}</text>'
        f'<text x="{left + 10}" y="{top + 4}">{escape(drawn)}</text></svg>'
    )
    rows = [(f"{at:,.0f}", f"{t:.3f}", f"{v:.3f}") for at, t, v in zip(x, training, validation, strict=True)]
    numbers = table(caption, (across, gettext("training"), gettext("validation")), rows, numbers=(1, 2))
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure><details><summary>{escape(gettext('The numbers of this picture'))}</summary>{numbers}</details>"

"""Cuts a page in MyST Markdown into the blocks that are translated, each with its exact place.

    split("# Why?\n\nBecause\nit is so.\n")    # [Block(2, 6, "Why?"), Block(8, 25, "Because it is so.")]
    replace(text, {"Why?": "为什么？"})          # "# 为什么？\n\nBecause\nit is so.\n"

A block is what a translator sees as one whole: a paragraph, a heading, an item, a cell of a table, a caption, the title or the alt text of a directive.
Its message has wrapped lines joined; formulas, code, roles and links stay in it as they stand in the source. What holds no words is no block: code,
formulas, labels, options, keys. The parser is MyST's own, so that a block is here what it is in the built page; a directive that the table below does
not know is an error, so that nothing is left out in silence.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath", "html_image", "smartquotes", "substitution"}  # as in _config.yml

# What a directive holds: whether its argument is a text, and whether its body is Markdown, a glossary, or nothing to translate.
TEXT, NAME = True, False
MARKDOWN, GLOSSARY, OTHER = "markdown", "glossary", "other"
DIRECTIVES = {
    **dict.fromkeys(["admonition", "attention", "caution", "danger", "error", "hint", "important", "note", "seealso", "tip", "warning"], (TEXT, MARKDOWN)),
    **dict.fromkeys(["card", "dropdown", "grid-item-card", "margin", "sidebar", "tab-item", "topic", "table", "list-table"], (TEXT, MARKDOWN)),
    **dict.fromkeys(["exercise", "prf:theorem", "prf:proof", "prf:definition", "prf:lemma", "prf:algorithm"], (TEXT, MARKDOWN)),
    **dict.fromkeys(["container", "div", "epigraph", "figure", "grid", "grid-item", "solution", "tab-set", "button-ref", "button-link"], (NAME, MARKDOWN)),
    **dict.fromkeys(["box", "rubric"], (TEXT, OTHER)),
    **dict.fromkeys(["bibliography", "code", "code-block", "code-cell", "eval-rst", "image", "include", "literalinclude", "math", "optional", "raw"], (NAME, OTHER)),
    **dict.fromkeys(["dialects", "quiz", "quiz-progress", "quiz-review", "review-due", "toctree", "workshop", "workshop-list"], (NAME, OTHER)),
    "glossary": (NAME, GLOSSARY),
}
TEXT_OPTIONS = {"alt", "caption", "title", "header", "footer"}

DIRECTIVE = re.compile(r"\{(?P<name>[\w:-]+)\}\s*(?P<argument>.*)", re.DOTALL)
OPTION = re.compile(r"(?P<before>:?(?P<name>[\w-]+):[ \t]+)(?P<value>\S.*?)[ \t]*")
HARD_BREAK = re.compile(r"(?:\\| {2,})$")
LETTER = re.compile(r"[^\W\d_]")
TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^>]*>", re.DOTALL)


class UnknownDirective(Exception):
    """A directive of which nobody said what in it is text."""


@dataclass(frozen=True)
class Block:
    """A message, and the place in the source that its translation takes."""

    start: int
    end: int
    message: str
    write: Callable[[str], str] = lambda translation: translation  # how a translation stands in the source


@dataclass(frozen=True)
class Line:
    """A line of a nested text: what it says, and where in the source that begins."""

    text: str
    start: int


@functools.cache
def parser() -> MarkdownIt:
    """MyST's parser with the extensions of the book."""
    return create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML)


def split(text: str) -> list[Block]:
    """The blocks of a page, in order. Raises UnknownDirective."""
    return sorted(_blocks(_lines(text)), key=lambda block: block.start)


def messages(text: str) -> list[str]:
    """The messages of a page, each once, in order."""
    return list(dict.fromkeys(block.message for block in split(text)))


def replace(text: str, translations: dict[str, str]) -> str:
    """The page with those messages translated that have a translation; the rest stays byte for byte."""
    return place(text, split(text), translations)


def place(text: str, blocks: list[Block], translations: dict[str, str]) -> str:
    """The text with translations in the places of its blocks."""
    parts, position = [], 0
    for block in blocks:
        if translation := translations.get(block.message):
            parts += [text[position : block.start], block.write(translation)]
            position = block.end
    return "".join([*parts, text[position:]])


# --- Texts and lines -----------------------------------------------------------------------------


def _lines(text: str) -> list[Line]:
    found, position = [], 0
    for line in text.split("\n"):
        found.append(Line(line, position))
        position += len(line) + 1
    return found


def _inner(lines: list[Line], content: str) -> list[Line]:
    """The lines of a nested text, of which the parser has cut the indentation and the marks of quotations."""
    found = []
    for line, inner in zip(lines, content.split("\n"), strict=False):
        if not line.text.endswith(inner):
            raise ValueError(f"The line {line.text!r} should end with what the parser reads of it, {inner!r}: indent it with spaces alone.")
        found.append(Line(inner, line.start + len(line.text) - len(inner)))
    return found


def has_words(message: str) -> bool:
    """Are there words in it, beside formulas, code, labels and keys? A role counts where it shows words of its own."""
    return any(
        LETTER.search(token.content)
        for token in _inline(parser().parseInline(message))
        if token.type in {"text", "image"} or (token.type == "myst_role" and (token.meta["name"] == "term" or " <" in token.content))
    )


def _inline(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "image":
            yield token
        elif token.children:
            yield from _inline(token.children)
        else:
            yield token


# --- Blocks of Markdown --------------------------------------------------------------------------


def _blocks(lines: list[Line]) -> Iterator[Block]:
    """The blocks of a text that stands in these lines."""
    tokens = parser().parse("\n".join(line.text for line in lines))
    cells: list[Token] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "inline" and before is not None and before.type in {"th_open", "td_open"}:
            cells.append(token)
        elif token.type == "tr_close":
            yield from _row(cells, lines)
            cells = []
        elif token.type == "inline" and token.map:
            yield from _paragraph(token.content, lines[token.map[0] : max(token.map[1], token.map[0] + 1)])
        elif token.type in {"fence", "colon_fence"} and token.map:
            yield from _fence(token, lines)
        elif token.type == "html_block" and token.map:
            yield from _html(lines[token.map[0] : token.map[1]])


def _paragraph(content: str, lines: list[Line]) -> Iterator[Block]:
    """A paragraph, heading or item: its content, without marks and indentation, stands in these lines."""
    wanted = [line.strip(" \t") if not HARD_BREAK.search(line) else line.lstrip(" \t") for line in content.split("\n")]
    places, number = [], 0
    for want in wanted:  # blank lines, as above a setext heading, are passed over
        while number < len(lines) and (column := lines[number].text.find(want)) < 0:
            number += 1
        if number == len(lines):
            raise ValueError(f"The words {want!r} should stand in one of the lines {[line.text for line in lines]}.")
        places.append((lines[number], column))
        number += 1
    first, column = places[0]
    last, last_column = places[-1]
    message = ""
    for part in wanted[:-1]:
        message += HARD_BREAK.sub(r"\\", part) + "\n" if HARD_BREAK.search(part) else part + " "
    message += wanted[-1]
    if has_words(message):
        indent = re.sub(r"[^>\s]", " ", first.text[:column])
        yield Block(first.start + column, last.start + last_column + len(wanted[-1]), message, lambda text: text.replace("\n", "\n" + indent))


def _row(cells: list[Token], lines: list[Line]) -> Iterator[Block]:
    """The cells of a row of a table. Pipes that are text are escaped in the source, and in the message."""
    if not cells or not cells[0].map:
        return
    line = lines[cells[0].map[0]]
    columns = [(found.start(), found.group()) for found in re.finditer(r"(?:[^|\\]|\\.|\\$)*", line.text)]
    columns = [one for at, one in enumerate(columns) if at == 0 or one[0] > columns[at - 1][0] + len(columns[at - 1][1])]
    if columns and not columns[0][1].strip():
        columns = columns[1:]
    for token, (start, raw) in zip(cells, columns, strict=False):
        text = raw.strip()
        if text.replace(r"\|", "|") != token.content:
            raise ValueError(f"The cell {token.content!r} should stand in its place in the row {line.text!r}.")
        if has_words(text):
            place = line.start + start + len(raw) - len(raw.lstrip())
            yield Block(place, place + len(text), text)


def _html(lines: list[Line]) -> Iterator[Block]:
    """The texts between the tags of raw HTML, and the alt texts in them."""
    text = "\n".join(line.text for line in lines)
    starts = [line.start for line in lines]
    offset = starts[0] if all(line.start == starts[0] + at for line, at in zip(lines, _offsets(lines), strict=True)) else None
    if offset is None:
        raise ValueError(f"Raw HTML should not stand inside a list or a quotation: {text!r}.")
    position = 0
    for tag in [*TAG.finditer(text), None]:
        raw = text[position : tag.start() if tag else len(text)]
        if LETTER.search(raw):
            begin = position + len(raw) - len(raw.lstrip())
            yield Block(offset + begin, offset + begin + len(raw.strip()), " ".join(raw.split()))
        for alt in re.finditer(r'\b(?:alt|title|aria-label)="([^"]*)"', tag.group()) if tag else ():
            if LETTER.search(alt[1]):
                yield Block(offset + tag.start() + alt.start(1), offset + tag.start() + alt.end(1), alt[1])
        position = tag.end() if tag else position


def _offsets(lines: list[Line]) -> Iterator[int]:
    position = 0
    for line in lines:
        yield position
        position += len(line.text) + 1


# --- Directives ----------------------------------------------------------------------------------


def _fence(token: Token, lines: list[Line]) -> Iterator[Block]:
    """A directive: its title, its options that are texts, and its body. Fences that are code have nothing to translate."""
    found = DIRECTIVE.match(token.info.strip())
    if not found:
        return
    name, argument = found["name"], found["argument"].strip()
    if name not in DIRECTIVES:
        raise UnknownDirective(f"Say in unrolled.editions.blocks.DIRECTIVES what of a {{{name}}} directive is translated: its argument, its body, or nothing.")
    has_text, body = DIRECTIVES[name]
    head = lines[token.map[0]]
    if has_text and argument:
        yield from _paragraph(argument, [head])
    inner = _inner(lines[token.map[0] + 1 :], token.content.removesuffix("\n")) if token.content else []
    options = _options(inner)
    for line in inner[:options]:
        yield from _option(line)
    if body == MARKDOWN:
        yield from _blocks(inner[options:])
    elif body == GLOSSARY:
        yield from _definitions(inner[options:])


def _options(lines: list[Line]) -> int:
    """How many of a directive's first lines are its options: lines like `:name: value`, or a block between lines of three dashes."""
    if lines and lines[0].text.strip() == "---":
        return next((number + 1 for number, line in enumerate(lines) if number and line.text.strip() == "---"), 0)
    return next((number for number, line in enumerate(lines) if not re.match(r":[\w-]+:", line.text.strip())), len(lines))


def _option(line: Line) -> Iterator[Block]:
    """The value of an option that is a text, such as an alt text. A value is YAML and may be quoted."""
    found = OPTION.fullmatch(line.text)
    if found and found["name"] in TEXT_OPTIONS and LETTER.search(found["value"]):
        value = found["value"]
        message = str(yaml.safe_load(value)) if value[0] in "\"'" else value
        yield Block(line.start + found.start("value"), line.start + found.end("value"), message, _yaml_value)


def _yaml_value(text: str) -> str:
    """The text as a value of an option: quoted where it would else mean something else."""
    plain = not re.search(r": |:$| #|\n|^[-?:,\[\]{}#&*!|>'\"%@`\s]", text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def _definitions(lines: list[Line]) -> Iterator[Block]:
    """The definitions of a glossary, which are indented. Its terms stay: each stands there in both languages."""
    group: list[Line] = []
    for line in [*lines, Line("", 0)]:
        if line.text.startswith(" "):
            cut = len(line.text) - len(line.text.lstrip())
            group.append(Line(line.text[cut:], line.start + cut))
        elif group:
            yield from _blocks(group)
            group = []

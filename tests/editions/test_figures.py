"""Whoever reads a translated page learns from the caption what the English words in a plot mean: plots are drawn once, for all editions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from unrolled.editions import catalogues

COURSE = Path(__file__).resolve().parents[2]
WRITERS = {"set_xlabel", "set_ylabel", "xlabel", "ylabel", "set_title", "title", "annotate"}  # functions whose text a plot shows
WRITTEN = {"xlabel", "ylabel", "label", "title"}  # arguments of others
HELPERS = {
    node.name: node for node in ast.parse((COURSE / "src/unrolled/plots.py").read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
}


def words_drawn(code: ast.AST) -> Iterator[str]:
    """The texts with an English word that code writes into a plot as they stand, those of the helpers of `unrolled.plots` among them."""
    for node in ast.walk(code):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        values = [keyword.value for keyword in node.keywords if keyword.arg in WRITTEN] + (node.args[:1] if name in WRITERS else [])
        for value in values:
            for part in [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]:
                if isinstance(part, ast.Constant):
                    yield from between_formulas(str(part.value))
        if name in HELPERS and name != getattr(code, "name", ""):
            yield from words_drawn(HELPERS[name])


def between_formulas(text: str) -> Iterator[str]:
    """The pieces of a label that have an English word in them."""
    for piece in re.split(r"\$[^$]*\$", text):
        if re.search("[a-z]{3}", piece):
            yield piece.strip(" ,")


def joined(text: str) -> str:
    return " ".join(text.split())


def figures(page: Path) -> Iterator[tuple[str, str, set[str]]]:
    """Name, caption and English words of each plot of a page."""
    for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]:
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        if cell["cell_type"] == "code" and "caption" in figure and "plt." in (code := "".join(cell["source"])):
            code = "\n".join("pass" if line.startswith(("%", "!")) else line for line in code.splitlines())
            yield figure["name"], figure["caption"], set(words_drawn(ast.parse(code)))


def test_the_words_of_a_plot_are_found_in_its_code_and_in_our_helpers():
    code = ast.parse("plots.ladder(rungs); axes.set(xlabel='lag $k$' if below else ''); plt.plot(x, label='clipped, $a=1$'); plt.ylabel(unit)")
    assert {*words_drawn(code)} == {"held-out loss in bits per character", "entropy rate", "lag", "clipped"}


@pytest.mark.parametrize("language", catalogues.languages(COURSE))
def test_a_translated_caption_names_every_english_word_of_its_plot(language):
    missing = []
    for page in sorted((COURSE / "book").rglob("*.ipynb")):
        path = catalogues.path_of(COURSE, language, page.relative_to(COURSE / "book").with_suffix("").as_posix())
        known = {joined(source): joined(text) for source, text in catalogues.translations(path, language).items()} if path.is_file() else {}
        for name, caption, drawn in figures(page):
            if (translated := known.get(joined(caption))) is not None:
                missing += [f"{name}: “{word}”" for word in sorted(drawn) if word not in translated]
    assert not missing, "The captions should say what these words in their plots mean:\n" + "\n".join(missing)

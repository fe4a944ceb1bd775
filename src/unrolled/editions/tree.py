"""Writes the sources of a translated book: a tree that the ordinary command builds.

    _build/zh_CN/_config.yml _toc.yml edition.json book/…

Notebooks have the outputs of the English ones. A page without a catalogue is English in it. Files that have not changed are left alone, so that a
second build costs what has changed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from docutils import nodes

from . import blocks, catalogues, notebooks, pictures, sources, words

LEFT = {"_build", "locales", ".ipynb_checkpoints"}
FILE = "edition.json"  # as in unrolled.site.edition
TRANSLATED = set(sources.KINDS)


def write(course: Path, language: str, target: Path, site: Path, translate: Any = None) -> list[str]:
    """Write the tree into a folder. Returns the documents that have no translation.

    site: the folder of the built English book, into which the translated one is put.
    translate: gives the translations of a catalogue by its name, a dictionary; without it the catalogues' own.
    """
    known = translate or (lambda name: catalogues.translations(catalogues.path_of(course, language, name), language))
    found: dict[Path, str | Path] = {}
    for path in sorted((course / sources.BOOK).rglob("*")):
        if path.is_file() and not LEFT & set(path.relative_to(course).parts) and not path.name.endswith(".nb.md"):
            found[path.relative_to(course)] = path
    for path in sorted((course / sources.ASSIGNMENTS).glob("*/*.ipynb")):  # what the workshop opens: as it is handed out
        own = path.parent / language / path.name
        found[path.relative_to(course)] = own if own.is_file() else path
    untranslated = []
    for name, paths in sources.catalogues(course).items():
        if name.startswith(f"{sources.ASSIGNMENTS}/"):
            continue
        texts = known(name)
        for path in paths if texts else ():
            text = sources.replaced(path, texts)
            found[path.relative_to(course)] = pictures.in_language(text, language) if name == sources.PICTURES else text
        if not texts and name not in (sources.PICTURES, sources.SITE, sources.README):
            untranslated.append(f"{sources.BOOK}/{name}")
    site_words = known(sources.SITE)
    found[Path("_toc.yml")] = _yaml(_captions(yaml.safe_load((course / "_toc.yml").read_text(encoding="utf-8")), site_words))
    found[Path("_config.yml")] = _yaml(config(course, language, site_words, os.path.relpath(site, target)))
    found[Path(FILE)] = json.dumps(edition(course, language, untranslated), ensure_ascii=False, indent=1) + "\n"
    _put(found, target)
    return untranslated


def _put(found: dict[Path, str | Path], target: Path) -> None:
    """Make the folder hold these files, given by their text or by the file to copy, and no others; what is built from them stays."""
    for path, content in found.items():
        data = content.read_bytes() if isinstance(content, Path) else content.encode()
        place = target / path
        if not place.is_file() or place.read_bytes() != data:
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = place.with_name(f".{place.name}.{os.getpid()}")
            beside.write_bytes(data)
            os.replace(beside, place)
    for path in sorted(target.rglob("*"), reverse=True):
        relative = path.relative_to(target)
        if relative.parts[0] != "_build" and path.is_file() and relative not in found:
            path.unlink()


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10**6)


def _captions(toc: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """The table of contents with its captions translated."""
    for part in toc.get("parts", []):
        if "caption" in part:
            part["caption"] = texts.get(part["caption"], part["caption"])
    return toc


def config(course: Path, language: str, texts: dict[str, str], site: str) -> dict[str, Any]:
    """The configuration of a translated book: that of the English one with its language, its words, and the site that it goes into."""
    found = yaml.safe_load((course / "_config.yml").read_text(encoding="utf-8"))
    found["title"] = texts.get(found["title"], found["title"])
    found["sphinx"]["config"] |= {
        "language": language, "html_search_language": language.split("_")[0], "unrolled_words": texts, "unrolled_site": site,
        **{setting: texts[sentence] for setting, sentence in words.SETTINGS.items() if sentence in texts},
    }  # fmt: skip
    return found


def edition(course: Path, language: str, untranslated: list[str]) -> dict[str, Any]:
    """What the book's extension has to know of it."""
    anchors = {document: headings(sources.source_of(course, document)) for document in sources.pages(course)}
    return {"code": language, "name": name_of(language), "folder": f"{language}", "untranslated": untranslated, "anchors": anchors}


def name_of(language: str) -> str:
    """The language's name for itself, such as 中文."""
    return Locale.parse(language).get_language_name() or language


def headings(path: Path) -> list[str]:
    """The anchors that the headings of a page get from their English texts, in order."""
    source = path.read_text(encoding="utf-8")
    texts = notebooks.cells(notebooks.load(source)) if path.suffix == ".ipynb" else [source]
    return [anchor for text in texts for anchor in _headings(text)]


def _headings(text: str) -> list[str]:
    tokens = blocks.parser().parse(text)
    return [nodes.make_id(_plain(after)) for token, after in zip(tokens, tokens[1:], strict=False) if token.type == "heading_open" and token.level == 0]


def _plain(inline: Any) -> str:
    """What a heading says, without its marks."""
    return "".join(" " if child.type in {"softbreak", "hardbreak"} else child.content for child in inline.children)

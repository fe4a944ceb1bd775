"""The words of the theme that it says in English in every language, or wrongly in ours: put right in the pages of a translated book."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from .words import _

# Attributes that the theme's templates and Jupyter Book write as they stand, or that the theme's own catalogues lack.
ATTRIBUTES = (
    _("Color mode"),
    _("System Settings"),
    _("Toggle primary sidebar"),
    _("Toggle secondary sidebar"),
    _("Search this book..."),
    _("Main"),
    _("Page"),
)
PRINT = _("Print to PDF")  # the theme's Chinese for it is that of Taiwan
HOME = _("Home")
COPYRIGHT = _("Copyright")
ATTRIBUTE = re.compile(rf'((?:title|aria-label|data-bs-title|placeholder)=")({"|".join(map(re.escape, ATTRIBUTES))})"')
PRINT_BUTTON = re.compile(r'(btn-download-pdf-button[^>]*?\btitle=")[^"]*"')
LOGO = re.compile(r'(<img [^>]*\balt="[^"]*) - Home"')
FOOT = re.compile(r'(<p class="copyright">\s*©) Copyright\b')


def in_language(page: str, texts: Mapping[str, str]) -> str:
    """A page's HTML with the theme's words translated. texts: translations of the site's words; what has none stays."""

    def said(text: str) -> str:
        return escape(texts[text])

    page = ATTRIBUTE.sub(lambda found: f'{found[1]}{said(found[2])}"' if found[2] in texts else found[0], page)
    if PRINT in texts:
        page = PRINT_BUTTON.sub(lambda found: f'{found[1]}{said(PRINT)}"', page)
    if HOME in texts:
        page = LOGO.sub(lambda found: f'{found[1]} – {said(HOME)}"', page)
    if COPYRIGHT in texts:
        page = FOOT.sub(lambda found: f"{found[1]} {said(COPYRIGHT)}", page)
    return page

"""What the theme says around a page, in another language."""

from __future__ import annotations

from unrolled.site import theme

PAGE = """<button aria-label="Color mode" data-bs-title="Color mode"></button><button class="btn btn-download-pdf-button dropdown-item"
  title="列印成 PDF"></button><img src="logo.svg" alt="The book - Home"/><p class="copyright">
  © Copyright 2026.</p><p title="Main road">Main</p>"""


def test_the_themes_words_are_said_in_the_language_of_the_book():
    said = theme.in_language(PAGE, {"Color mode": "颜色“模式”", "Print to PDF": "打印成 PDF", "Home": "首页", "Copyright": "版权所有", "Main": "主"})
    assert said == """<button aria-label="颜色“模式”" data-bs-title="颜色“模式”"></button><button class="btn btn-download-pdf-button dropdown-item"
  title="打印成 PDF"></button><img src="logo.svg" alt="The book – 首页"/><p class="copyright">
  © 版权所有 2026.</p><p title="Main road">Main</p>"""


def test_what_has_no_translation_stays():
    assert theme.in_language(PAGE, {}) == PAGE


def test_a_translation_can_not_leave_its_attribute():
    assert 'aria-label="a&quot; onclick=&quot;b"' in theme.in_language(PAGE, {"Color mode": 'a" onclick="b'})

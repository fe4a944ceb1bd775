"""Every translation that the course ships says what its source says, as far as a machine can tell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unrolled.editions import catalogues, sources
from unrolled.site import pairs
from unrolled.site.pairs.said import said_problems

COURSE = Path(__file__).parents[2]
PAIRS = [
    (language, path, message, translation)
    for language in catalogues.languages(COURSE)
    for path in sorted((COURSE / catalogues.FOLDER / language).rglob("*.po"))
    for message, translation in catalogues.translations(path, language).items()
]


@pytest.mark.parametrize("language", catalogues.languages(COURSE))
def test_every_translation_keeps_to_its_source(language):
    rules = pairs.load(COURSE / "book", language)
    found = [
        f"{path.relative_to(COURSE)}: {message[:60]}… → {translation[:60]}…: {problem}"
        for own, path, message, translation in PAIRS
        if own == language
        for problem in pairs.problems(message, translation, rules)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", catalogues.languages(COURSE))
def test_no_exception_outlives_its_pair(language, monkeypatch):
    monkeypatch.syspath_prepend(COURSE / "tools")
    import messages

    strict = pairs.without_exceptions(pairs.load(COURSE / "book", language))
    excused = pairs.exceptions(COURSE / "book", language)
    sources = {source for source, _ in excused}
    said = {
        (source, problem)
        for own, _, message, translation in PAIRS
        if own == language and (source := pairs.spans.joined(message)) in sources
        for problem in pairs.problems(message, translation, strict)
    }
    package = [pair for domain in messages.DOMAINS if messages.po_file(language, domain).is_file() for pair in messages.pairs_of(messages.read(messages.po_file(language, domain)))]
    said |= {(pairs.spans.joined(text), problem) for text, translation in package if pairs.spans.joined(text) in sources for problem in said_problems(text, translation, strict)}
    needless = [
        (source, beginning)
        for source, beginning in excused
        if not any(own == source and problem.startswith(beginning) for own, problem in said)
    ]
    assert not needless, f"Nothing asks for these exceptions any more: {needless}"


@pytest.mark.parametrize("language", catalogues.languages(COURSE))
def test_a_page_calls_a_button_by_the_name_that_it_has(language):
    names = catalogues.translations(catalogues.path_of(COURSE, language, sources.SITE), language)
    found = [
        f"{path.relative_to(COURSE)}: *{name}* is *{names[name]}*: {translation[:60]}…"
        for own, path, message, translation in PAIRS
        if own == language
        for name in re.findall(r"(?<![*\w])\*([A-Z][^*]*)\*(?![*\w])", message)
        if name in names and f"*{names[name]}*" not in translation
    ]
    assert not found, "\n".join(found)

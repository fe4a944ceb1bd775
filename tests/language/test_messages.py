"""The catalogues: all texts gathered, none put together from parts, the compiled file that of the text."""

import re

import pytest

from unrolled import language


@pytest.fixture(scope="module")
def found(messages):
    return messages.extracted()


def languages():
    return [name for name in language.languages() if name != "en"]


def ids(catalogue):
    return {message.id for message in catalogue if message.id}


@pytest.mark.parametrize("name", languages())
def test_the_catalogues_hold_the_texts_of_the_package(found, messages, name):
    for domain, template in found.items():
        assert ids(messages.read(messages.po_file(name, domain))) == ids(template), "Run `python tools/messages.py update`."


@pytest.mark.parametrize("name", languages())
def test_the_compiled_catalogues_are_those_of_the_texts(messages, name):
    for domain in messages.DOMAINS:
        path = messages.po_file(name, domain)
        assert path.with_suffix(".mo").read_bytes() == messages.as_mo(messages.read(path)), "Run `python tools/messages.py compile`."


@pytest.mark.parametrize("name", languages())
def test_every_text_of_the_package_is_translated(messages, name):
    wanting = [f"{domain}: {message.id}" for domain in messages.DOMAINS for message in messages.wanting(messages.read(messages.po_file(name, domain)))]
    assert not wanting, "`python tools/messages.py todo` lists what has no translation, or one that nobody has looked at: " + "\n".join(wanting)


@pytest.mark.parametrize("name", languages())
def test_every_translation_of_the_package_keeps_to_its_source(messages, name):
    found = messages.faults(name)
    assert not found, "\n".join(found)


def test_the_terminal_asks_in_the_language_of_the_books_catalogues(messages, monkeypatch, tmp_path):
    from unrolled import quiz_terminal, quizzes

    target = tmp_path / "zh_CN" / "LC_MESSAGES" / "quizzes.mo"
    target.parent.mkdir(parents=True)
    target.write_bytes(messages.as_mo(messages.of_quizzes("zh_CN")))
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    english = quizzes.find("why-sequences", messages.ROOT / "book" / "quizzes").before[0]
    with language.using("zh_CN"):
        chinese = quiz_terminal.spoken(english)
    assert chinese.id == english.id and [one.id for one in chinese.shown] == [one.id for one in english.shown]
    assert all(re.search("[\u4e00-\u9fff]", text) for text in (chinese.prompt, *(one.feedback for one in chinese.choices)))


@pytest.mark.parametrize("name", languages())
def test_a_translation_fills_the_same_places(messages, name):
    import string

    def places(text):
        return {field for _, field, *_ in string.Formatter().parse(text) if field is not None}

    wrong = []
    for domain in messages.DOMAINS:
        for message in messages.read(messages.po_file(name, domain)):
            if message.id and messages.is_done(message) and message.python_brace_format:
                sources = [message.id] if isinstance(message.id, str) else message.id
                strings = [message.string] if isinstance(message.string, str) else message.string
                wrong += [text for text in strings if places(text) != places(sources[-1])]
    assert not wrong


def test_a_text_that_is_put_together_is_refused(messages):
    for code in ('gettext(f"a {b}")', 'gettext("a" + b)', 'texts({1: f"{x}"})'):
        with pytest.raises(ValueError, match="put together"):
            list(messages.in_code(code))


def test_texts_are_found_wherever_they_are_marked(messages):
    code = 'A = texts({"k": ("one", "two")})\ndef f(n):\n    return gettext("three" if n else "four"), ngettext("{n} cow", "{n} cows", n), gettext(A["k"][0])'
    assert list(messages.in_code(code)) == ["one", "two", "three", "four", ("{n} cow", "{n} cows")]


def test_names_of_cases_do_not_depend_on_the_seed():
    import numpy as np

    from unrolled.checks import TASKS

    for task in TASKS.values():
        names = [[case.name for case in [task.form_case(rng), *task.value_cases(rng)]] for rng in map(np.random.default_rng, (1, 2))]
        assert names[0] == names[1], task.name

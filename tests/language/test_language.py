"""Which language is spoken, and how texts are looked up."""

import os
import subprocess
import sys

import pytest

from unrolled import language
from unrolled.terminal import padded, width, wrapped


@pytest.fixture
def unset(monkeypatch):
    """No language is chosen."""
    for name in ("UNROLLED_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(language, "_chosen", [])
    return monkeypatch


@pytest.mark.parametrize("name", ["zh_CN", "zh_CN.UTF-8", "zh-Hans", "zh_Hans_CN", "zh", "zh_SG.utf8", "ZH_cn", "zh_CN.GBK@pinyin"])
def test_a_name_of_simplified_chinese_is_known(name):
    assert language.known(name) == "zh_CN"


@pytest.mark.parametrize("name", ["zh_TW.UTF-8", "zh-Hant", "zh_HK", "de_DE", "C", "POSIX", "", "_", "zhx"])
def test_a_name_without_a_catalogue_is_not_known(name):
    assert language.known(name) is None


@pytest.mark.parametrize(("set_to", "spoken"), [
    ({}, "en"),
    ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
    ({"LANG": "zh_TW.UTF-8"}, "en"),
    ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
    ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8", "LC_MESSAGES": "C"}, "zh_CN"),
    ({"LANG": "en_GB.UTF-8", "UNROLLED_LANGUAGE": "zh-Hans"}, "zh_CN"),
    ({"LANG": "zh_CN.UTF-8", "UNROLLED_LANGUAGE": "en"}, "en"),
])  # fmt: skip
def test_the_language_is_that_of_the_variable_else_of_the_locale(unset, set_to, spoken):
    for name, value in set_to.items():
        unset.setenv(name, value)
    assert language.language() == spoken


def test_what_is_chosen_outweighs_the_environment(unset):
    unset.setenv("UNROLLED_LANGUAGE", "en")
    language.use("zh_CN")
    assert language.language() == "zh_CN"


def test_a_block_speaks_its_own_language_and_gives_it_back(unset):
    language.use("zh_CN")
    with language.using("en"):
        assert language.language() == "en"
    assert language.language() == "zh_CN"


def test_a_language_without_a_catalogue_cannot_be_chosen(unset):
    with pytest.raises(ValueError, match="There is no language 'de'; the languages are: en, .*zh_CN"):
        language.use("de")


def test_texts_are_looked_up_when_they_are_said_and_not_when_they_are_imported(unset):
    before = language.gettext("all passed")
    language.use("zh_CN")
    assert before == "all passed" != language.gettext("all passed")


def test_a_text_that_no_catalogue_has_stays_as_it_is(unset):
    language.use("zh_CN")
    assert language.gettext("no such text {here}") == "no such text {here}"
    assert language.gettext("") == ""


def test_an_english_text_is_found_again_by_its_form(pseudo):
    texts = ("a call may take {seconds} s", "no result: {why}")
    assert language.again("ValueError: no result", texts) == "ValueError: no result"
    found = language.again("no result: {oops} (x)", texts)
    assert "{oops} (x)" in found


def test_the_package_says_nothing_in_english_when_it_is_loaded_in_chinese():
    code = "import unrolled.checks, unrolled.language as l; print(l.gettext('all passed'), l.language())"
    env = {**os.environ, "UNROLLED_LANGUAGE": "zh_CN", "PYTHONIOENCODING": "utf-8"}
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, encoding="utf-8", check=True).stdout.split()
    assert said[-1] == "zh_CN" and said[0] != "all"


# --- On the screen -----------------------------------------------------------------------------


def test_chinese_breaks_within_the_columns_and_never_before_a_full_stop():
    text = "你的结果等于一个正确解的结果，只是状态没有从一步传到下一步。请把 H_t 带到下一步。" * 4
    lines = wrapped(text, 40, "  ")
    assert all(width(line) <= 42 and line.startswith("  ") for line in lines) and len(lines) > 5
    assert not any(line.strip()[0] in "，。；：）” " for line in lines)
    assert "".join(line.strip() for line in lines).replace(" ", "") == text.replace(" ", "")


def test_english_breaks_as_it_did():
    import textwrap

    text = "One two three, four five six seven eight nine ten. " * 5
    assert wrapped(text, 40) == textwrap.wrap(text, 40)


def test_a_column_is_filled_by_what_is_seen():
    assert padded("3 分", 8) == "3 分    "

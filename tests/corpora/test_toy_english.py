"""Toy English: is its stated entropy true, and are the agreement sites where they are said to be?"""

import re
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import corpora
from unrolled.corpora import (
    ALPHABET,
    character_probs,
    entropy_rate,
    next_character_probs,
    tag_words,
    toy_english,
)

language = sys.modules["unrolled.corpora.toy_english"]

SAMPLE = toy_english(200_000, seed=5)


def test_the_text_has_exactly_n_characters_and_a_log_probability_for_each():
    for n in (1, 2, 57, 1000):
        sample = toy_english(n, seed=1)
        assert len(sample.text) == n
        assert sample.log_probs.shape == (n,)
        assert sample.log_probs.dtype == np.float64


def test_the_same_seed_gives_the_same_text_and_another_seed_another():
    one, again, other = toy_english(500, 3), toy_english(500, 3), toy_english(500, 4)
    assert one.text == again.text != other.text
    assert one.sites == again.sites
    np.testing.assert_array_equal(one.log_probs, again.log_probs)


def test_a_shorter_text_is_the_beginning_of_a_longer_one():
    short, long = toy_english(333, 3), toy_english(2000, 3)
    assert long.text.startswith(short.text)
    np.testing.assert_array_equal(short.log_probs, long.log_probs[:333])
    assert short.sites == tuple(site for site in long.sites if site.position < 333)


def test_the_global_random_state_is_neither_read_nor_changed():
    np.random.seed(0)
    before = toy_english(200, 1).text
    expected = np.random.RandomState(0).random_sample()
    assert np.random.random_sample() == expected
    np.random.seed(1)
    assert toy_english(200, 1).text == before


def test_text_is_lower_case_letters_spaces_and_full_stops_all_in_the_alphabet():
    assert set(SAMPLE.text) == set(ALPHABET)
    assert re.fullmatch("[a-z .]+", ALPHABET)
    assert list(ALPHABET) == sorted(set(ALPHABET))


def test_no_string_of_a_state_is_the_beginning_of_another():
    for state, choices in language.GRAMMAR.items():
        strings = sorted(choice.string for choice in choices)
        assert len(set(strings)) == len(strings), state
        assert not any(second.startswith(first) for first, second in pairwise(strings)), state


def test_string_and_character_probabilities_of_every_state_sum_to_one():
    for choices in language.GRAMMAR.values():
        assert sum(choice.probability for choice in choices) == pytest.approx(1, abs=1e-12)
        assert all(choice.probability > 0 for choice in choices)
    for state, read in language._character_states():
        assert sum(language._next(state, read).values()) == pytest.approx(1, abs=1e-12)


def test_mean_true_log_probability_agrees_with_the_entropy_rate():
    """Within 4 standard errors, taken over blocks of 1000 characters since neighbours are not independent."""
    blocks = -toy_english(1_000_000, seed=11).log_probs.reshape(-1, 1000).mean(axis=1)
    standard_error = blocks.std(ddof=1) / np.sqrt(len(blocks))
    assert standard_error < 0.002
    assert abs(blocks.mean() - entropy_rate()) < 4 * standard_error


def test_entropy_rate_equals_entropy_of_a_string_over_its_length():
    """The same number by another way: per string emitted, averaged over the chain of grammar states."""
    states = list(language.GRAMMAR)
    P = np.zeros((len(states), len(states)))
    entropy, length = np.zeros(len(states)), np.zeros(len(states))
    for i, state in enumerate(states):
        for choice in language.GRAMMAR[state]:
            P[i, states.index(choice.following)] += choice.probability
            entropy[i] -= choice.probability * np.log(choice.probability)
            length[i] += choice.probability * len(choice.string)
    visits = np.linalg.matrix_power(0.5 * (P + np.eye(len(states))), 4096)[0]
    assert entropy_rate() == pytest.approx(visits @ entropy / (visits @ length), rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 3000))
def test_log_probabilities_agree_with_next_character_probs(position):
    probs = next_character_probs(SAMPLE.text[:position])
    assert sum(probs.values()) == pytest.approx(1, abs=1e-12)
    assert np.log(probs[SAMPLE.text[position]]) == pytest.approx(SAMPLE.log_probs[position], abs=1e-12)


def test_character_probs_hold_the_log_probabilities_of_the_whole_text():
    text = SAMPLE.text[:5000]
    probs = character_probs(text)
    assert probs.shape == (5000, len(ALPHABET))
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-12)
    written = probs[np.arange(5000), [ALPHABET.index(character) for character in text]]
    np.testing.assert_allclose(np.log(written), SAMPLE.log_probs[:5000], atol=1e-12)


def test_a_prefix_that_the_grammar_cannot_produce_is_refused_with_its_place():
    with pytest.raises(ValueError, match="'z' at position 4 cannot follow 'the '"):
        next_character_probs("the zoo")


def test_at_every_site_the_wrong_form_is_impossible_and_the_right_one_is_not():
    probs = character_probs(SAMPLE.text[:40_000])
    sites = [site for site in SAMPLE.sites if site.position < 40_000]
    assert len(sites) > 1000
    for site in sites:
        right = sum(probs[site.position, ALPHABET.index(character)] for character in site.right)
        wrong = [probs[site.position, ALPHABET.index(character)] for character in site.wrong]
        assert SAMPLE.text[site.position] in site.right
        assert right > 0
        assert wrong == [0] * len(site.wrong)


def test_in_every_state_before_a_verb_the_wrong_form_has_probability_zero():
    """The same for all verbs and both numbers, seen in a sample or not."""
    for subject in language.NUMBERS:
        for choice in language.GRAMMAR["after noun", subject]:
            if choice.string in language._SITES:
                offset, right, wrong = language._SITES[choice.string]
                following = language._next(("after noun", subject), choice.string[:offset])
                assert sum(following.get(character, 0) for character in right) > 0
                assert not set(wrong) & set(following)


# An independent reading of the text, by word lists alone.
PLURAL_NOUNS = {plural for _, plural in language.NOUNS}
ALL_NOUNS = {noun for forms in language.NOUNS for noun in forms}
VERB_FORMS = {form: forms for forms in language.BE + language.VERBS for form in forms}


def sites_read_from_the_text(text):
    found = []
    for sentence in re.finditer(r"[^.]*(\. |\.?$)", text):
        words = [(match.start() + sentence.start(), match.group()) for match in re.finditer("[a-z]+", sentence.group())]
        nouns = [(start, word) for start, word in words if word in ALL_NOUNS]
        verbs = [(start, word) for start, word in words if word in VERB_FORMS]
        if not verbs:
            continue
        (verb_start, verb), *others = verbs
        assert not others
        singular, plural = (form + " " for form in VERB_FORMS[verb])
        parting = next(i for i in range(20) if singular[i] != plural[i])
        (subject_start, subject), *between = nouns
        number = subject in PLURAL_NOUNS
        position = verb_start + parting
        distance = position - (subject_start + len(subject) - 1)
        disagreeing = sum((noun in PLURAL_NOUNS) != number for _, noun in between)
        found.append((position, ("singular", "plural")[number], distance, len(between), disagreeing))
    return found


def test_sites_equal_those_that_an_independent_reading_of_the_text_finds():
    text = SAMPLE.text[: SAMPLE.text.rindex(". ") + 2]
    sites = [(s.position, s.subject_number, s.distance, s.nouns_between, s.disagreeing) for s in SAMPLE.sites]
    expected = sites_read_from_the_text(text)
    assert sites[: len(expected)] == expected
    assert len(sites) - len(expected) <= 1


def test_the_verb_written_agrees_with_the_first_noun():
    for sentence in SAMPLE.text.split(". ")[:-1]:
        words = sentence.split()
        verb = next(word for word in words if word in VERB_FORMS)
        assert (verb == VERB_FORMS[verb][1]) == (words[1] in PLURAL_NOUNS)


def test_right_and_wrong_characters_are_those_of_the_two_forms():
    pairs = Counter((site.right, site.wrong) for site in SAMPLE.sites)
    singular_first = {("i", "a"), ("a", "e"), ("s", " ."), ("e", " .")}
    assert set(pairs) == singular_first | {(wrong, right) for right, wrong in singular_first}


def test_agreement_spans_none_one_and_many_nouns_of_both_numbers():
    between = Counter(site.nouns_between for site in SAMPLE.sites)
    assert between[0] > between[1] > between[2] > between[3] > 50
    assert {site.disagreeing for site in SAMPLE.sites if site.nouns_between == 2} == {0, 1, 2}


def test_determiners_agree_with_their_nouns_and_the_goes_with_both():
    words = re.findall("[a-z]+", SAMPLE.text)
    after = {}
    for determiner, noun in pairwise(words[:-1]):
        if noun in ALL_NOUNS:
            after.setdefault(determiner, set()).add(noun in PLURAL_NOUNS)
    assert after.pop("the") == {False, True}
    assert all(len(numbers) == 1 for numbers in after.values())


def test_tags_of_a_known_text():
    text = "the keys near a cabinet are old. the man opens. the ke"
    assert tag_words(text) == [
        ("the", "det-plural"), ("keys", "subject-plural"), ("near", "prep"), ("a", "det-singular"),
        ("cabinet", "noun-singular"), ("are", "be-plural"), ("old", "complement"), (".", "stop"),
        ("the", "det-singular"), ("man", "subject-singular"), ("opens", "verb-singular"), (".", "stop"),
    ]  # fmt: skip


def test_tags_cover_every_word_of_a_whole_text():
    text = SAMPLE.text[: SAMPLE.text.rindex(". ", 0, 20_000) + 2]
    assert [word for word, _ in tag_words(text)] == re.findall(r"[a-z]+|\.", text)


@pytest.mark.parametrize("n", [0, -5])
def test_too_small_a_length_is_refused(n):
    with pytest.raises(ValueError, match=f"n should be at least 1, but it is {n}"):
        toy_english(n, 0)


@pytest.mark.parametrize("n", [1.5, "10", None, True])
def test_a_length_that_is_no_whole_number_is_refused(n):
    with pytest.raises(TypeError, match="n should be a whole number"):
        toy_english(n, 0)


def test_numpy_integers_are_whole_numbers():
    assert toy_english(np.int64(20), np.int32(1)).text == corpora.load("toy_english", 20, seed=1).text


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed should be at least 0"):
        toy_english(10, -1)

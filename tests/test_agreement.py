"""Questions about agreement: the sites, the verdicts, and the search for the unit that knows a feature."""

import numpy as np
import pytest

from unrolled import agreement, corpora, ngram, text, torch_models
from unrolled.corpora.toy_english import BE, VERBS, next_character_probs


@pytest.fixture(scope="module")
def sample():
    return corpora.toy_english(20_000, seed=3)


@pytest.fixture(scope="module")
def vocabulary(sample):
    return text.Vocabulary(sample.text)


@pytest.fixture(scope="module")
def ids(sample, vocabulary):
    return vocabulary.encode(sample.text)


def test_a_hard_site_has_a_noun_of_the_other_number_before_it_and_no_other_site_is_hard(sample):
    hard = agreement.hard_sites(sample, sample.sites)
    for site in sample.sites:
        words = sample.text[: site.position].split()[:-1] if sample.text[site.position - 1] != " " else sample.text[: site.position].split()
        nearest = next(word for word in reversed(words) if word in agreement.NUMBER)
        assert (site in hard) == (agreement.NUMBER[nearest] != site.subject_number)


def test_a_model_that_knows_the_grammar_is_right_at_every_site(sample, vocabulary):
    sites = sample.sites[:40]
    probs = np.zeros((len(sites), len(vocabulary)))
    for row, site in zip(probs, sites, strict=True):
        for character, p in next_character_probs(sample.text[: site.position]).items():
            row[vocabulary.id(character)] = p
    assert agreement.right_verbs(probs, sites, vocabulary).all()


def test_windows_give_what_the_model_predicts_from_the_characters_before_a_site(sample, ids, vocabulary):
    model = torch_models.TorchLanguageModel("rnn", len(vocabulary), 8, seed=0)
    sites = [site for site in sample.sites if site.position >= 30][:5]
    probs = agreement.window_probs(model, ids, sites, window=30)
    log_probs = [torch_models.token_log_probs(model, ids[site.position - 30 : site.position + 1])[-1] for site in sites]
    actual = [np.log(row[ids[site.position]]) for row, site in zip(probs, sites, strict=True)]
    np.testing.assert_allclose(actual, log_probs, rtol=0, atol=1e-5)


def test_a_site_with_too_few_characters_before_it_is_refused(sample, ids, vocabulary):
    model = torch_models.TorchLanguageModel("rnn", len(vocabulary), 8, seed=0)
    with pytest.raises(ValueError, match="160 characters before it"):
        agreement.window_probs(model, ids, sample.sites[:1])


def test_contexts_give_what_the_counts_predict(sample, ids, vocabulary):
    model = ngram.KneserNey(ids, 4, len(vocabulary))
    sites = sample.sites[5:9]
    expected = [model.probs(ids[: site.position]) for site in sites]
    np.testing.assert_array_equal(agreement.context_probs(model, ids, sites), expected)


def test_a_stretch_to_the_verb_begins_behind_the_subject_and_ends_before_the_verb(sample, ids, vocabulary):
    spans = agreement.spans_to_verbs(sample, ids, most=50)
    for n in range(50):
        read = "".join(vocabulary.decode(spans.windows[: spans.start + spans.lengths[n], n]))
        subject = read[: spans.start - 1].split(" ")[-1]
        assert agreement.NUMBER[subject] == ("plural" if spans.labels[n] else "singular")
        assert read.endswith(" ") and read.split()[-1] in agreement.NUMBER


def test_a_stretch_over_a_noun_holds_no_letter_that_tells_its_number(sample, ids, vocabulary):
    spans = agreement.spans_over_nouns(sample, ids, most=60)
    for n in range(60):
        read = "".join(vocabulary.decode(spans.windows[: spans.start + spans.lengths[n], n]))
        *_, determiner, stem = read.split(" ")
        assert agreement.SHOWN[determiner] == ("plural" if spans.labels[n] else "singular")
        numbers = {number for noun, number in agreement.NUMBER.items() if noun.startswith(stem)}
        assert numbers == {"singular", "plural"}
        assert read[spans.start] == " "


def test_a_stretch_around_a_verb_stands_wholly_before_or_wholly_behind_it(sample, ids, vocabulary):
    spans = agreement.spans_around_verbs(sample, ids, most=60)
    forms = {form for forms in [*VERBS, *BE] for form in forms}
    assert spans.labels.sum() == 30
    for n in range(60):
        read = "".join(vocabulary.decode(spans.windows[: spans.start + spans.lengths[n], n]))
        sentence = read[read.rindex(".") + 1 :].split() if "." in read else read.split()
        assert bool(forms & set(sentence)) == spans.labels[n]
        assert "." not in read[spans.start :]


def test_rows_are_the_characters_of_all_stretches(sample, ids):
    spans = agreement.spans_to_verbs(sample, ids, most=20)
    rows = spans.rows(spans.windows)
    assert len(rows) == spans.lengths.sum() == len(spans.owners())
    assert rows.tolist() == ids[spans.places()].tolist()
    assert rows[: spans.lengths[0]].tolist() == spans.windows[spans.start :, 0][: spans.lengths[0]].tolist()


def test_the_search_finds_the_unit_that_knows_and_tests_it_on_what_it_did_not_search(sample, ids):
    spans = agreement.spans_to_verbs(sample, ids, most=60)
    values = np.random.default_rng(0).normal(size=(*spans.windows.shape, 5))
    values[..., 3] = np.where(spans.labels, -2.0, 2.0) + 0.1 * values[..., 3]  # low for plural
    values[:, ~spans.searched, 1] = np.where(spans.labels, 1.0, -1.0)[~spans.searched]  # knows in the other half only
    best, *others = agreement.search_units(values, spans)
    assert best.index == 3 and best.found == best.tested == 1.0 and not best.above and abs(best.threshold) < 1.5
    assert all(unit.found < 0.7 for unit in others)

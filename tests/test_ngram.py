"""Counting language models: against definitions written out with dictionaries, over every kind of context, and at the door."""

import math
import tracemalloc
from collections import Counter, defaultdict
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chi2

from unrolled import ngram
from unrolled.corpora import split
from unrolled.ngram import KneserNey, Laplace, best_order, count_ladder, count_orders, ngram_counts, order_name
from unrolled.text import Vocabulary

both_models = pytest.mark.parametrize("Model", [KneserNey, Laplace])
FALSE_ALARM = 1e-4  # seeds are fixed, so this is how likely another seed would have failed


# --- The definitions, written out: exact fractions, one n-gram at a time --------------------------


def grams(ids, k):
    return [tuple(int(i) for i in ids[start : start + k]) for start in range(len(ids) - k + 1)]


class PlainLaplace:
    def __init__(self, ids, n, V, alpha=1):
        self.n, self.V, self.alpha = n, V, Fraction(alpha)
        self.counts = {k: Counter(grams(ids, k)) for k in range(1, n + 1)}

    def prob(self, token, context):
        context = tuple(context)[max(0, len(context) - self.n + 1) :]
        counts = self.counts[len(context) + 1]
        total = sum(counts[*context, w] for w in range(self.V))
        return (counts[*context, token] + self.alpha) / (total + self.alpha * self.V)


class PlainKneserNey:
    def __init__(self, ids, n, V):
        self.n, self.V = n, V
        self.counts, self.discounts = {}, {}
        for k in range(1, n + 1):
            if k == n:
                self.counts[k] = Counter(grams(ids, k))
            else:
                # Each distinct (k+1)-gram is one more token before its last k tokens.
                self.counts[k] = Counter(gram[1:] for gram in set(grams(ids, k + 1)))
            n1, n2 = (sum(count == times for count in self.counts[k].values()) for times in (1, 2))
            self.discounts[k] = Fraction(n1, n1 + 2 * n2) if n1 else Fraction(1, 2)

    def prob(self, token, context):
        return self._mixed(token, tuple(context)[max(0, len(context) - self.n + 1) :])

    def _mixed(self, token, context):
        lower = self._mixed(token, context[1:]) if context else Fraction(1, self.V)
        counts, D = self.counts[len(context) + 1], self.discounts[len(context) + 1]
        followers = [counts[*context, w] for w in range(self.V) if counts[*context, w] > 0]
        if not followers:
            return lower
        kept = max(counts[*context, token] - D, 0)
        return (kept + D * len(followers) * lower) / sum(followers)


PLAIN = {KneserNey: PlainKneserNey, Laplace: PlainLaplace}


# --- Texts and contexts ------------------------------------------------------------------------


@st.composite
def texts(draw, largest_vocabulary=6):
    """A text, an order that fits it, and a vocabulary that may hold tokens the text lacks."""
    V, n = draw(st.integers(1, largest_vocabulary)), draw(st.integers(1, 5))
    used = draw(st.integers(1, V))  # few tokens: repeated n-grams; fewer than V: tokens never seen
    ids = draw(st.lists(st.integers(0, used - 1), min_size=n, max_size=40))
    return np.array(ids), n, V


@st.composite
def texts_with_contexts(draw):
    """With contexts of every kind: seen, at the end of the text, any tokens; shorter than n - 1, just so, longer than n."""
    ids, n, V = draw(texts())
    contexts = [ids[max(0, end - length) : end] for length in range(n + 3) for end in (draw(st.integers(0, len(ids))), len(ids))]
    for length in range(n + 3):
        contexts.append(np.array(draw(st.lists(st.integers(0, V - 1), min_size=length, max_size=length)), dtype=np.int64))
    return ids, n, V, contexts


@cache
def corpus(name):
    """Ids for training, ids held out, V, and the split they come from."""
    texts = split(name)
    vocabulary = Vocabulary(texts.train)
    return vocabulary.encode(texts.train), vocabulary.encode(texts.held_out), len(vocabulary), texts


# --- Counts ------------------------------------------------------------------------------------


@given(texts())
def test_ngram_counts_are_what_a_counter_of_tuples_counts(text):
    ids, n, V = text
    distinct, counts = ngram_counts(ids, n, V)
    assert {tuple(gram): count for gram, count in zip(distinct.tolist(), counts.tolist(), strict=True)} == Counter(grams(ids, n))


@given(texts())
def test_ngram_counts_come_in_lexicographic_order(text):
    ids, n, V = text
    distinct = ngram_counts(ids, n, V)[0].tolist()
    assert distinct == sorted(distinct)


@given(texts())
def test_every_order_counts_occurrences_and_the_tokens_that_stand_before(text):
    ids, n, V = text
    for k, order in enumerate(count_orders(ids, n, V), 1):
        occurrences = Counter(grams(ids, k))
        before = Counter(gram[1:] for gram in set(grams(ids, k + 1))) if k < n else {}
        assert order.counts.tolist() == [occurrences[gram] for gram in sorted(occurrences)]
        assert order.continuations.tolist() == [before.get(gram, 0) for gram in sorted(occurrences)]


@given(texts())
def test_find_gives_the_place_of_each_key_and_minus_1_for_any_other(text):
    ids, n, V = text
    for order in count_orders(ids, n, V):
        places = {key: place for place, key in enumerate(order.keys.tolist())}
        asked = np.arange(-2, order.keys[-1] + 3)
        assert order.find(asked).tolist() == [places.get(key, -1) for key in asked.tolist()]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.booleans())
def test_distinct_keys_by_table_and_by_sorting_are_those_of_np_unique(keys, small_space):
    keys = np.array(keys)
    space = 31 if small_space else 10_000
    assume(small_space == (space <= 4 * len(keys)))
    distinct, places, ids, counts = ngram._distinct(keys, space)
    expected, expected_ids, expected_counts = np.unique(keys, return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(distinct, expected)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(counts, expected_counts)
    np.testing.assert_array_equal(keys[places], expected)


def never_for_a_table(bincount):
    """np.bincount that refuses what only a table of keys asks for: more bins than any text here has tokens."""

    def checked(ids, weights=None, minlength=0):
        assert minlength <= 40, "this should have been sorted"
        return bincount(ids, weights=weights, minlength=minlength)

    return checked


@given(texts())
def test_a_large_vocabulary_which_is_sorted_gives_the_counts_of_a_small_one_which_is_tabled(text):
    ids, n, V = text
    with pytest.MonkeyPatch.context() as patch:
        by_table = ngram_counts(ids, n, V)
        patch.setattr(np, "bincount", never_for_a_table(np.bincount))
        by_sorting = ngram_counts(ids, n, 1000)
    for table, sorting in zip(by_table, by_sorting, strict=True):
        np.testing.assert_array_equal(table, sorting)


@both_models
@given(text=texts())
def test_a_model_that_sorts_gives_the_log_probabilities_of_one_that_tables(Model, text):
    ids, n, V = text
    assume(len(ids) > 1)
    scores = Model(ids, n, V).log_probs(ids)
    _distinct = ngram._distinct
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngram, "_distinct", lambda keys, space: _distinct(keys, 10_000))  # too large a space for a table
        np.testing.assert_array_equal(Model(ids, n, V).log_probs(ids), scores)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint64])
def test_ids_of_any_integer_type_are_counted_alike(dtype):
    ids = np.random.default_rng(0).integers(0, 100, 500) + 100  # two of them overflow 8 bits
    for ours, expected in zip(ngram_counts(ids.astype(dtype), 3, 200), ngram_counts(ids, 3, 200), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_counting_leaves_the_text_as_it_was():
    ids = np.array([1, 0, 1, 2])
    ids.flags.writeable = False
    KneserNey(ids, 2, 3).log_probs(ids)
    assert ids.tolist() == [1, 0, 1, 2]


# --- Probabilities -----------------------------------------------------------------------------


@both_models
@given(case=texts_with_contexts())
def test_probabilities_sum_to_1_after_every_context(Model, case):
    ids, n, V, contexts = case
    model = Model(ids, n, V)
    for context in contexts:
        assert abs(math.fsum(model.probs(context)) - 1) < 1e-12, context


@both_models
@given(case=texts_with_contexts())
def test_no_token_has_probability_0_after_any_context(Model, case):
    ids, n, V, contexts = case
    model = Model(ids, n, V)
    assert all(model.probs(context).min() > 0 for context in contexts)


@both_models
@given(case=texts_with_contexts())
def test_probabilities_equal_the_definition_written_out(Model, case):
    ids, n, V, contexts = case
    model, plain = Model(ids, n, V), PLAIN[Model](ids, n, V)
    for context in contexts:
        expected = [float(plain.prob(token, context.tolist())) for token in range(V)]
        np.testing.assert_allclose(model.probs(context), expected, rtol=1e-12)


@given(texts_with_contexts(), st.sampled_from([0.001, 0.5, 3.0]))
def test_any_alpha_is_added_to_every_count(case, alpha):
    ids, n, V, contexts = case
    model, plain = Laplace(ids, n, V, alpha=alpha), PlainLaplace(ids, n, V, alpha=alpha)
    for context in contexts:
        expected = [float(plain.prob(token, context.tolist())) for token in range(V)]
        np.testing.assert_allclose(model.probs(context), expected, rtol=1e-12)


@both_models
@given(text=texts(), data=st.data())
def test_log_probs_are_the_logarithms_of_probs_at_each_position(Model, text, data):
    ids, n, V = text
    model = Model(ids, n, V)
    scored = np.array(data.draw(st.lists(st.integers(0, V - 1), min_size=2, max_size=25)))
    expected = [math.log(model.probs(scored[:i])[scored[i]]) for i in range(1, len(scored))]
    np.testing.assert_allclose(model.log_probs(scored), expected, rtol=1e-12, atol=1e-15)


@both_models
def test_real_text_is_scored_as_the_definition_says(Model):
    train, held_out, V, _ = corpus("python_manual")
    train, held_out = train[:3000], held_out[:60]
    model, plain = Model(train, 4, V), PLAIN[Model](train, 4, V)
    expected = [math.log(plain.prob(int(held_out[i]), held_out[:i].tolist())) for i in range(1, len(held_out))]
    np.testing.assert_allclose(model.log_probs(held_out), expected, rtol=1e-12)


@both_models
def test_held_out_loss_is_the_mean_of_minus_log_probs(Model):
    model = Model(np.array([0, 1, 2, 0, 1, 1]), 2, 3)
    text = np.array([2, 1, 1, 0])
    assert model.held_out_loss(text) == pytest.approx(-sum(math.log(model.probs(text[:i])[text[i]]) for i in (1, 2, 3)) / 3)


def test_kneser_ney_worked_by_hand():
    # Bigrams 01 twice, 10 twice, 02 once: D = 1/(1 + 2·2) = 1/5. Each token follows one other token: below, all have 1/3.
    # After 0: (2 - 1/5)/3 + (2/5)/3 · 1/3 = 29/45 for 1, (1 - 1/5)/3 + 2/45 = 14/45 for 2, and 2/45 for 0.
    probs = KneserNey(np.array([0, 1, 0, 1, 0, 2]), 2, 3).probs(np.array([0]))
    np.testing.assert_allclose(probs, np.array([2, 29, 14]) / 45, rtol=1e-14)


def test_laplace_worked_by_hand():
    # After 0 came 1 twice and 2 once; V = 3.
    probs = Laplace(np.array([0, 1, 0, 1, 0, 2]), 2, 3).probs(np.array([0]))
    np.testing.assert_allclose(probs, np.array([1, 3, 2]) / 6, rtol=1e-14)


def test_kneser_ney_gives_less_to_a_frequent_token_that_follows_one_token_only():
    # 1 ("Francisco") comes 20 times, always after 0 ("San"); 2 comes 4 times, after four tokens. 7 never had a successor.
    text = np.array([0, 1] * 20 + [3, 2, 4, 2, 5, 2, 6, 2, 7])
    after_a_new_context = KneserNey(text, 2, 8).probs(np.array([7]))
    assert after_a_new_context[2] > 2 * after_a_new_context[1]


def test_kneser_ney_leaves_something_for_the_unseen_where_no_ngram_came_only_once():
    model = KneserNey(np.array([0, 1] * 10), 2, 3)
    assert model.probs(np.array([0]))[2] > 0


@both_models
def test_only_the_last_n_minus_1_tokens_of_a_context_count(Model):
    model = Model(np.array([0, 1, 2, 0, 1, 1, 2, 2, 0]), 3, 3)
    np.testing.assert_array_equal(model.probs(np.array([2, 2, 0, 1])), model.probs(np.array([0, 1])))


@both_models
@pytest.mark.parametrize("n", [1, 2, 3])
def test_an_empty_context_gives_the_unigram(Model, n):
    model = Model(np.array([0, 1, 1, 0, 1, 2]), n, 4)
    plain = PLAIN[Model](np.array([0, 1, 1, 0, 1, 2]), n, 4)
    np.testing.assert_allclose(model.probs([]), [float(plain.prob(token, [])) for token in range(4)], rtol=1e-14)


# --- What the models are worth -----------------------------------------------------------------


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize("name", ["toy_english", "python_manual"])
def test_kneser_ney_predicts_held_out_text_better_than_laplace(name, n):
    train, held_out, V, _ = corpus(name)
    assert KneserNey(train, n, V).held_out_loss(held_out) < 0.99 * Laplace(train, n, V).held_out_loss(held_out)


def test_laplace_gets_worse_from_n_3_to_5_where_kneser_ney_gets_better():
    train, held_out, V, _ = corpus("python_manual")
    loss = {(Model, n): Model(train, n, V).held_out_loss(held_out) for Model in (Laplace, KneserNey) for n in (3, 5)}
    assert loss[Laplace, 5] > loss[Laplace, 3] + 0.1
    assert loss[KneserNey, 5] < loss[KneserNey, 3] - 0.1


def test_each_rung_of_the_ladder_is_lower_and_none_goes_below_the_floor_of_toy_english():
    train, held_out, V, texts = corpus("toy_english")
    ladder = count_ladder(train, held_out, V)
    losses = list(ladder.values())
    assert list(ladder) == ["uniform", "unigram", "bigram", "trigram", "5-gram Kneser–Ney", "7-gram Kneser–Ney"]
    assert all(lower < higher - 0.03 for higher, lower in zip(losses, losses[1:]))
    assert texts.floor < losses[-1]


def test_the_ladder_names_the_order_that_predicts_best_and_no_other_order_is_better():
    train, held_out, V, _ = corpus("toy_english")
    n, loss = best_order(train, held_out, V)
    assert loss == count_ladder(train, held_out, V)[order_name(n)]
    assert all(loss <= KneserNey(train, other, V).held_out_loss(held_out) for other in range(2, 11))


def test_where_a_short_context_is_best_the_ladder_has_no_further_rung_than_the_5_gram():
    train, held_out, V, _ = corpus("toy_english")
    assert list(count_ladder(train[:300], held_out[:500], V))[-1] == "5-gram Kneser–Ney"


def test_the_first_rung_of_the_ladder_knows_only_how_many_tokens_there_are():
    assert count_ladder(np.arange(5), np.array([0, 1]), 8)["uniform"] == pytest.approx(math.log(8))


def test_the_other_rungs_of_the_ladder_are_kneser_ney_losses():
    train, held_out, V, _ = corpus("toy_english")
    ladder = count_ladder(train[:2000], held_out[:500], V)
    for name, n in (("unigram", 1), ("bigram", 2), ("trigram", 3), ("5-gram Kneser–Ney", 5)):
        assert ladder[name] == KneserNey(train[:2000], n, V).held_out_loss(held_out[:500])


# --- Memory ------------------------------------------------------------------------------------


def stored(model):
    """The number of array entries that a model keeps."""
    tables = [array for order in model._tables for array in order]
    orders = [array for order in model.orders for array in (order.keys, order.counts, order.continuations)]
    return sum(array.size for array in tables + orders)


@both_models
@given(text=texts(largest_vocabulary=500))
def test_a_model_keeps_a_few_numbers_for_each_distinct_ngram_whatever_the_vocabulary(Model, text):
    ids, n, V = text
    distinct = sum(len(set(grams(ids, k))) for k in range(1, n + 1))
    assert stored(Model(ids, n, V)) <= 6 * distinct + 2


@both_models
def test_a_text_that_repeats_itself_takes_no_more_room(Model):
    once = np.random.default_rng(0).integers(0, 50, 1000)
    short, long = (np.concatenate([np.tile(once, times), once[:2]]) for times in (1, 20))
    assert stored(Model(short, 3, 50)) == stored(Model(long, 3, 50))


@both_models
def test_counting_never_holds_a_table_of_all_pairs_of_tokens(Model):
    ids = np.random.default_rng(0).integers(0, 20_000, 20_000)
    tracemalloc.start()
    try:
        Model(ids, 3, 20_000).log_probs(ids)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1000 * len(ids)  # bytes; a table of pairs would take 160,000 a token


# --- Sampling ----------------------------------------------------------------------------------


def chi_square(observed, expected):
    assert expected.min() > 5, "too few draws for the test to mean anything"
    return float(((observed - expected) ** 2 / expected).sum())


# 3 never follows 3: of two tokens, one context is seen and another one is not.
SAMPLED = np.array([0, 1, 0, 2, 1, 1, 3, 0, 0, 1, 2, 0, 3, 1, 0, 0, 2, 2, 1, 0, 1, 3, 2, 0, 1, 1])


@both_models
@pytest.mark.parametrize("prefix", [[], [2], [0, 1], [3, 3], [3, 3, 2, 1]], ids=str)
def test_the_first_token_sampled_has_the_distribution_of_probs(Model, prefix):
    model, rng, draws = Model(SAMPLED, 3, 4), np.random.default_rng(0), 3000
    drawn = np.concatenate([model.sample(prefix, 1, rng) for _ in range(draws)])
    statistic = chi_square(np.bincount(drawn, minlength=4), draws * model.probs(prefix))
    assert statistic < chi2.isf(FALSE_ALARM, df=3)


@both_models
def test_later_tokens_sampled_have_the_distribution_of_probs_after_the_tokens_sampled_before(Model):
    model = Model(SAMPLED, 2, 4)
    drawn = model.sample([0], 6000, np.random.default_rng(1))
    followers = defaultdict(lambda: np.zeros(4))
    for before, token in zip(drawn, drawn[1:]):
        followers[int(before)][token] += 1
    statistic = sum(chi_square(observed, observed.sum() * model.probs([before])) for before, observed in followers.items())
    assert statistic < chi2.isf(FALSE_ALARM, df=3 * len(followers))


@both_models
@pytest.mark.parametrize("prefix", [[], [1], [0, 1, 2, 0]], ids=str)
def test_sample_returns_as_many_tokens_as_asked_without_the_prefix(Model, prefix):
    drawn = Model(np.arange(4), 3, 4).sample(prefix, 7, np.random.default_rng(0))
    assert drawn.shape == (7,) and drawn.dtype == np.int64
    assert set(drawn.tolist()) <= {0, 1, 2, 3}


def test_a_sample_of_no_tokens_is_empty():
    assert KneserNey(np.arange(4), 3, 4).sample([0, 1], 0, np.random.default_rng(0)).tolist() == []


def test_the_generator_decides_the_sample():
    model = KneserNey(SAMPLED, 3, 4)
    first, again, other = (model.sample([], 50, np.random.default_rng(seed)).tolist() for seed in (7, 7, 8))
    assert first == again != other


# --- At the door -------------------------------------------------------------------------------


@both_models
def test_an_empty_corpus_is_refused(Model):
    with pytest.raises(ValueError, match="a text of at least 2 tokens; received 0: is the corpus empty"):
        Model([], 2, 3)


@both_models
def test_a_text_shorter_than_n_is_refused(Model):
    with pytest.raises(ValueError, match="3-grams needs a text of at least 3 tokens; received 2: .* or n too large"):
        Model(np.array([0, 1]), 3, 3)


@both_models
@pytest.mark.parametrize("n", [0, -1])
def test_an_order_below_1_is_refused(Model, n):
    with pytest.raises(ValueError, match=f"The order n must be 1 or more, received {n}"):
        Model(np.array([0, 1]), n, 3)


@pytest.mark.parametrize("alpha", [0, -1.0, math.nan, math.inf])
def test_an_alpha_that_is_no_number_above_0_is_refused(alpha):
    with pytest.raises(ValueError, match=f"alpha must be a number greater than 0, received {alpha}: without it"):
        Laplace(np.array([0, 1]), 2, 3, alpha=alpha)


USES = {
    "counting": lambda model, ids: type(model)(ids, 2, 3),
    "scoring": lambda model, ids: model.log_probs(ids),
    "the loss": lambda model, ids: model.held_out_loss(ids),
    "a context": lambda model, ids: model.probs(ids),
    "a prefix": lambda model, ids: model.sample(ids, 1, np.random.default_rng(0)),
}
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


@both_models
@every_use
@pytest.mark.parametrize(("ids", "received"), [([0, 3, 1], r"0\.\.3"), ([1, -1, 2], r"-1\.\.2")], ids=["3", "-1"])
def test_an_id_outside_the_vocabulary_is_refused(Model, use, ids, received):
    with pytest.raises(ValueError, match=rf"Ids must lie in 0\.\.2 for V=3; received {received}\. Encode the text with"):
        use(Model(np.array([0, 1, 2]), 2, 3), np.array(ids))


@both_models
@every_use
@pytest.mark.parametrize("ids", [[0.0, 1.0], [True, False], ["a", "b"], "ab", [[0, 1], [1, 2]], 1], ids=str)
def test_anything_but_a_row_of_integers_is_refused(Model, use, ids):
    kind, shape = np.asarray(ids).dtype, np.asarray(ids).shape
    with pytest.raises(ValueError) as caught:
        use(Model(np.array([0, 1, 2]), 2, 3), ids)
    expected = f"A text should be integer ids of shape (tokens,); received {kind} of shape {shape}: encode the text first."
    assert str(caught.value) == expected


@both_models
@pytest.mark.parametrize("score", [USES["scoring"], USES["the loss"]], ids=["log_probs", "held_out_loss"])
@pytest.mark.parametrize("ids", [[], [1]], ids=str)
def test_scoring_fewer_than_two_tokens_is_refused(Model, score, ids):
    with pytest.raises(ValueError, match=f"at least two tokens, .*; received {len(ids)}: use a longer text"):
        score(Model(np.array([0, 1, 2]), 2, 3), ids)


@both_models
@given(st.lists(st.integers(0, 3), min_size=4, max_size=40), st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(1, 4))
def test_a_search_that_extends_its_states_gives_the_probabilities_of_the_text(Model, text, continuation, n):
    model = Model(np.array(text), n, 5)
    state = model.start(np.array([], dtype=int))
    for place, token in enumerate(continuation):
        probs, state = model.extend(state, np.array([token, 4]))
        assert probs == pytest.approx(model.probs(np.array(continuation[:place], dtype=int))[[token, 4]], rel=1e-12)
        state = [part[0] for part in state]


@both_models
def test_many_contexts_are_extended_at_once(Model):
    rng = np.random.default_rng(0)
    model = Model(rng.integers(0, 4, 200), 3, 4)
    contexts = rng.integers(0, 4, (6, 2))
    states = [np.stack(parts)[:, None] for parts in zip(*(model.start(context) for context in contexts), strict=True)]
    probs, after = model.extend(states, np.arange(4)[None])
    np.testing.assert_allclose(probs, [model.probs(context) for context in contexts], rtol=1e-12)
    assert [part.shape for part in after] == [(6, 4)] * 3

"""What the reports tell: what stands in a text, what units follow, scores and mistakes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from own_files import opinions, story
from sklearn.metrics import accuracy_score, f1_score

from unrolled.corpora import labelled
from unrolled.owndata import classes, text


@pytest.fixture(scope="module")
def task():
    return text.TextTask(text.parts_of(story(12_000)), "lstm", 10, 1.0, 0, "cpu")


def test_the_parts_of_a_text_follow_each_other_and_lose_nothing():
    whole = story(12_000)
    parts = text.parts_of(whole)
    assert parts.train + parts.validation + parts.test == whole
    assert len(parts.train) == len(whole) - len(whole) // 10


def test_characters_beyond_the_limit_are_unknown(monkeypatch):
    monkeypatch.setattr(text, "MOST_CHARACTERS_KNOWN", 10)
    small = text.TextTask(text.parts_of(story(12_000)), "rnn", 4, 1.0, 0, "cpu")
    assert len(small.vocabulary) <= 11


def test_a_long_text_is_read_less_often_than_a_short_one():
    short, long = (text.TextTask(text.parts_of(story(size)), "gru", 8, None, 0, "cpu") for size in (5_000, 200_000))
    assert short.passes == text.DEFAULT_PASSES
    wide = text.TextTask(text.parts_of(story(200_000)), "gru", 256, None, 0, "cpu")
    assert wide.passes < long.passes


@pytest.mark.parametrize(
    ("what", "sample", "values"),
    [
        ("inside quotation marks", 'a "b" c', [0, 0, 1, 1, 0, 0, 0]),
        ("inside quotation marks", '"a\n\nb', [1, 1, 1, 0, 0]),
        ("inside quotation marks", "“a” b", [1, 1, 0, 0, 0]),
        ("open brackets", "a(b[c])d", [0, 1, 1, 2, 2, 1, 0, 0]),
        ("open brackets", "))(\n\na", [0, 0, 1, 1, 0, 0]),
        ("place in the line", "ab\ncd", [0, 1, 2, 0, 1]),
        ("indentation of the line", "  a b\nc", [1, 2, 2, 2, 2, 0, 0]),
        ("place in the word", "ab c", [1, 2, 0, 1]),
    ],
)
def test_what_units_are_searched_for(what, sample, values):
    assert text.TRACKED[what](sample).tolist() == values


def test_a_unit_that_follows_the_place_in_the_line_is_found(task, monkeypatch):
    """The network's states are replaced: unit 7 is the place in the line with some noise, all others are noise."""
    lengths = {len(part): part for part in (task.parts.validation, task.parts.test)}

    def states(model, ids, device):
        rng = np.random.default_rng(len(ids) + model.H)
        noise = rng.normal(size=(len(ids), model.H))
        if model is task.model:
            noise[:, 7] = text._place_in_line(lengths[len(ids)]) / 20 + 0.1 * noise[:, 7]
        return noise

    monkeypatch.setattr(text, "_activations", states)
    found = {finding.what: finding for finding in text.search_units(task)}
    best = found["place in the line"]
    assert best.unit == 7
    assert best.correlation > 0.95 > abs(best.untrained) + 0.5


def test_the_correlations_are_pearsons():
    rng = np.random.default_rng(0)
    values, feature = rng.normal(size=(50, 4)), rng.normal(size=50)
    values[:, 2] = 3.0
    expected = [0.0 if i == 2 else np.corrcoef(values[:, i], feature)[0, 1] for i in range(4)]
    np.testing.assert_allclose(text._correlations(values, feature), expected, atol=1e-12)


def test_an_lstms_remembered_values_are_its_cell_states(task):
    ids = task.test_ids[:20]
    X = torch.as_tensor(ids)[:, None]
    with torch.no_grad():
        _, (_, C) = task.model.cell(task.model.embed(X))
    np.testing.assert_allclose(text._activations(task.model, ids, "cpu")[-1], torch.tanh(C[0, 0]).numpy(), atol=1e-6)


def test_a_word_of_a_sample_is_new_unless_it_stands_in_the_text_as_a_word():
    known = text.Known("the cat sat on the mat. " * 3)
    pieces = {piece.text: piece.known for piece in known.pieces("x the ca cat mats y")}
    assert pieces == {"x": None, "the": True, "ca": False, "cat": True, "mats": False, "y": None, " ": None}


def test_where_words_are_not_parted_three_characters_at_a_time_are_looked_up():
    known = text.Known("我们学习语言模型的方法和历史以及它们的用处在这里都有" * 5)
    assert [(piece.text, piece.known) for piece in known.pieces("学习语方言模")] == [("学习语", True), ("方言模", False)]


@given(st.text("ab", min_size=1, max_size=30), st.text("abc", max_size=15))
def test_the_longest_copy_is_the_longest_stretch_that_stands_in_the_text(whole, sample):
    copy = text.Known(whole).longest_copy(sample)
    stretches = [sample[i:j] for i in range(len(sample)) for j in range(i + 1, len(sample) + 1) if sample[i:j] in whole]
    assert len(copy) == max(map(len, stretches), default=0)
    assert copy in whole and copy in sample


def test_the_ladder_has_the_networks_own_loss_and_what_the_compressors_add(task):
    import gzip
    import math

    rungs, counting = text.ladder(task)
    assert counting in rungs
    assert rungs["uniform"] == pytest.approx(math.log2(len(task.vocabulary)))
    with torch.no_grad():
        logits, _ = task.model(torch.as_tensor(task.test_ids[:-1])[:, None])
    loss = torch.nn.functional.cross_entropy(logits[:, 0], torch.as_tensor(task.test_ids[1:])).item()
    assert rungs["LSTM"] == pytest.approx(loss / math.log(2), rel=1e-4)
    sizes = [len(gzip.compress(part.encode(), 9)) for part in (task.parts.train + task.parts.test, task.parts.train)]
    assert rungs["gzip"] == pytest.approx(8 * (sizes[0] - sizes[1]) / len(task.parts.test))


# --- Labelled texts ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    path = tmp_path_factory.mktemp("opinions") / "opinions.csv"
    path.write_text(opinions(), encoding="utf-8")
    return labelled(path).split()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30))
def test_scores_are_those_of_scikit_learn(pairs):
    predicted, labels = zip(*pairs, strict=True)
    found = classes.score(predicted, labels)
    assert found.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert found.macro_f1 == pytest.approx(f1_score(labels, predicted, labels=sorted(set(labels)), average="macro", zero_division=0))


def test_the_baselines_beat_the_commonest_label_where_words_tell(parts):
    found = {name: classes.score(guesses, parts.test.labels).accuracy for name, guesses in classes.baselines(parts, "words").items()}
    assert found["bag of words"] > found["the commonest label"]
    assert found["5-gram model of each class"] > found["the commonest label"]


def test_texts_are_classified_alike_alone_and_in_company(parts):
    task = classes.LabelledTask(parts, "gru", 8, 1.0, 0, "cpu")
    together = task.probs(parts.test.texts)
    alone = np.concatenate([task.probs([one]) for one in parts.test.texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1)


def test_the_surest_mistake_comes_first_and_what_is_right_is_none(parts):
    names = ["bad", "good"]
    probs = np.array([[0.6, 0.4] if i % 2 else [0.1, 0.9] for i in range(len(parts.test))])
    found = classes.mistakes(probs, parts, names)
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    assert all(one.label != one.predicted for one in found)


def test_confusions_count_each_label_by_what_it_was_taken_for():
    names, counts = classes.confusions(["a", "b", "b"], ["a", "a", "b"])
    assert (names, counts.tolist()) == (["a", "b"], [[1, 1], [0, 1]])

"""Letters aligned with phones, and an n-gram model of the pairs."""

import itertools

import numpy as np
import pytest

from unrolled.joint_ngram import Aligner, JointNGram, majority

# A spelling whose rules are known: c is K, but S before i; x is two phones; a final e is silent.
WORDS = {
    "cat": "K AE T", "cit": "S IH T", "tax": "T AE K S", "cax": "K AE K S", "tate": "T AE T", "tice": "T IH S", "cate": "K AE T", "tit": "T IH T",
    "tix": "T IH K S", "tacit": "T AE S IH T", "xat": "K S AE T", "citate": "S IH T AE T", "attic": "AE T T IH K",
}  # fmt: skip
PAIRS = [(word, tuple(phones.split())) for word, phones in WORDS.items()]


@pytest.fixture(scope="module")
def aligner():
    return Aligner(PAIRS)


def test_an_alignment_spells_the_word_and_sounds_like_it(aligner):
    for (word, phones), graphones in zip(aligner.pairs, aligner.alignments(), strict=True):
        assert "".join(letter for letter, _ in graphones) == word
        assert tuple(itertools.chain(*(chunk for _, chunk in graphones))) == phones


def test_x_is_found_to_be_two_phones_and_a_final_e_to_be_silent(aligner):
    found = dict(zip([word for word, _ in aligner.pairs], aligner.alignments(), strict=True))
    assert found["tax"] == (("t", ("T",)), ("a", ("AE",)), ("x", ("K", "S")))
    assert found["tate"][-1] == ("e", ())


def test_the_expected_counts_are_those_over_all_alignments(aligner):
    """One round by hand: every alignment of every pair, weighed by its share of the pair's probability."""

    def alignments(word, phones):
        if not word:
            return [()] if not phones else []
        return [((word[0], phones[:k]), *rest) for k in range(min(2, len(phones)) + 1) for rest in alignments(word[1:], phones[k:])]

    P, letters, ids = len(aligner._phones), aligner._letters, aligner._phones

    def column(chunk):
        if len(chunk) == 2:
            return 1 + P + ids[chunk[0]] * P + ids[chunk[1]]
        return 1 + ids[chunk[0]] if chunk else 0

    expected = np.zeros_like(aligner.probs)
    for word, phones in aligner.pairs:
        found = alignments(word, phones)
        weights = [np.prod([aligner.probs[letters[letter], column(chunk)] for letter, chunk in graphones]) for graphones in found]
        for graphones, weight in zip(found, weights, strict=True):
            for letter, chunk in graphones:
                expected[letters[letter], column(chunk)] += weight / sum(weights)
    np.testing.assert_allclose(aligner._expected_counts(), expected, rtol=1e-9, atol=1e-12)


def test_a_word_with_more_than_two_phones_a_letter_is_dropped_and_counted():
    aligner = Aligner([*PAIRS, ("aaa", tuple("T R IH P AH L EY".split()))])
    assert aligner.dropped == 1
    assert "aaa" not in dict(aligner.pairs)


def test_a_pair_is_aligned_alike_alone_and_among_those_that_were_learnt_from(aligner):
    assert [aligner.align(*pair) for pair in aligner.pairs] == aligner.alignments()


@pytest.mark.parametrize(("word", "phones", "named"), [("c4t", ("K",), "'c4t'"), ("cat", ("XX",), "XX"), ("a", ("K",) * 3, "K K K"), ("cat", (), "'cat'")])
def test_a_pair_that_has_no_alignment_is_refused(aligner, word, phones, named):
    with pytest.raises(ValueError, match=named):
        aligner.align(word, phones)


def test_nothing_to_align_is_refused():
    with pytest.raises(ValueError, match="received 1 pairs and none that is"):
        Aligner([("a", ("K", "S", "T"))])


def test_the_majority_of_c_is_what_it_is_most_often(aligner):
    most = majority(aligner.alignments())
    assert most["c"] in {("K",), ("S",)}
    assert (most["t"], most["x"], most["e"]) == (("T",), ("K", "S"), ())


def test_the_context_decides_how_c_sounds(aligner):
    model = JointNGram(aligner.alignments(), n=3)
    assert model.pronounce(["cicat", "caxit"]) == {"cicat": tuple("S IH K AE T".split()), "caxit": tuple("K AE K S IH T".split())}


def test_a_wide_beam_gives_each_pronunciation_the_sum_over_its_alignments(aligner):
    model = JointNGram(aligner.alignments(), n=3)
    word = "cite"
    tried = [[i for i, (letter, _) in enumerate(model.graphones) if letter == c] for c in word]

    def log_p(ids):
        text = np.array([0, 0, *ids, 0])
        return model.model.log_probs(text)[1:].sum()

    every = {}
    for ids in itertools.product(*tried):
        phones = tuple(phone for i in ids for phone in model.graphones[i][1])
        every[phones] = every.get(phones, 0.0) + np.exp(log_p(ids))
    found = model.candidates([word], width=1_000)[word]
    assert found[0][0] == max(every, key=every.get) == model.pronounce([word], width=1_000)[word]
    assert dict(found) == pytest.approx({phones: np.log(p) for phones, p in every.items()})


def test_words_are_pronounced_alike_alone_and_in_company(aligner):
    model = JointNGram(aligner.alignments(), n=4)
    words = ["cat", "tacit", "tix", "xate", "cit"]
    together = model.pronounce(words)
    assert list(together) == words
    assert all(model.pronounce([word])[word] == together[word] for word in words)


def test_a_letter_that_no_word_had_is_named(aligner):
    with pytest.raises(ValueError, match="knows the letters aceitx; received 'q'"):
        JointNGram(aligner.alignments(), n=2).pronounce(["qat"])

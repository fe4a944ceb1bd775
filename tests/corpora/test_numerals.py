"""English and Chinese numerals: known cases, and what is written is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.corpora import from_chinese, from_english, numerals, to_chinese, to_english

NUMBERS = st.integers(0, 9_999_999)


@pytest.mark.parametrize(
    ("k", "english", "chinese"),
    [
        (0, "zero", "零"),
        (10, "ten", "十"),
        (15, "fifteen", "十五"),
        (20, "twenty", "二十"),
        (22, "twenty-two", "二十二"),
        (100, "one hundred", "一百"),
        (110, "one hundred and ten", "一百一十"),
        (115, "one hundred and fifteen", "一百一十五"),
        (205, "two hundred and five", "二百零五"),
        (222, "two hundred and twenty-two", "二百二十二"),
        (1000, "one thousand", "一千"),
        (1005, "one thousand and five", "一千零五"),
        (1010, "one thousand and ten", "一千零一十"),
        (2002, "two thousand and two", "两千零二"),
        (2200, "two thousand two hundred", "两千二百"),
        (10_000, "ten thousand", "一万"),
        (10_015, "ten thousand and fifteen", "一万零一十五"),
        (10_500, "ten thousand five hundred", "一万零五百"),
        (20_000, "twenty thousand", "两万"),
        (22_000, "twenty-two thousand", "两万两千"),
        (100_000, "one hundred thousand", "十万"),
        (102_000, "one hundred and two thousand", "十万两千"),
        (150_015, "one hundred and fifty thousand and fifteen", "十五万零一十五"),
        (1_000_001, "one million and one", "一百万零一"),
        (1_150_000, "one million one hundred and fifty thousand", "一百一十五万"),
        (2_020_202, "two million twenty thousand two hundred and two", "二百零二万零二百零二"),
        (
            9_999_999,
            "nine million nine hundred and ninety-nine thousand nine hundred and ninety-nine",
            "九百九十九万九千九百九十九",
        ),
    ],
)
def test_known_numbers_are_written_as_stated(k, english, chinese):
    assert to_english(k) == english
    assert to_chinese(k) == chinese


@given(NUMBERS)
def test_english_is_read_back(k):
    assert from_english(to_english(k)) == k


@given(NUMBERS)
def test_chinese_is_read_back(k):
    assert from_chinese(to_chinese(k)) == k


@given(NUMBERS)
def test_chinese_never_doubles_a_zero_nor_ends_in_one(k):
    text = to_chinese(k)
    assert "零零" not in text
    assert "零万" not in text
    assert k == 0 or not text.endswith("零")


@pytest.mark.parametrize("text", ["", "five two", "one-hundred", "two hundred five", "hundred", "ten million", "five "])
def test_english_that_is_never_written_is_refused(text):
    with pytest.raises(ValueError, match="to_english writes it"):
        from_english(text)


@pytest.mark.parametrize("text", ["", "一十", "二千", "二万", "两百", "百", "一千五", "一千万", "零五", "x"])
def test_chinese_that_is_never_written_is_refused(text):
    with pytest.raises(ValueError, match="to_chinese writes it"):
        from_chinese(text)


def test_pairs_name_the_same_number_and_the_seed_decides_them():
    pairs = numerals(200, seed=2)
    assert len(pairs) == 200
    assert all(from_english(english) == from_chinese(chinese) for english, chinese in pairs)
    assert pairs == numerals(200, seed=2) != numerals(200, seed=3)


def test_numbers_of_every_length_are_drawn():
    assert {len(str(from_english(english))) for english, _ in numerals(200, seed=0)} == set(range(1, 8))


@pytest.mark.parametrize("k", [-1, 10_000_000])
def test_numbers_out_of_range_are_refused(k):
    for write in (to_english, to_chinese):
        with pytest.raises(ValueError, match="k should be at"):
            write(k)


def test_bad_counts_are_refused():
    with pytest.raises(ValueError, match="n should be at least 1"):
        numerals(0, 0)
    with pytest.raises(TypeError, match="n should be a whole number"):
        numerals(2.0, 0)

"""Whole numbers in English words and in Chinese numerals: translation with unlimited and exact ground truth.

English is British: "and" stands before the last part below a hundred ("two hundred and five", "one thousand and
five"), and tens and units take a hyphen ("twenty-one").

Chinese follows these rules: digits are grouped in fours, the upper group followed by 万. A run of zeros inside the
number is one 零; zeros at its end, or at the end of its upper group, are silent. A two is 两 before 千 and, standing
alone, before 万 (两千, 两万), and 二 elsewhere (二十, 二百, 十二万). A number, or its upper group, that begins with a one in
the tens begins with 十 (十五, 十五万); further inside it is 一十 (一百一十五).
"""

import numpy as np

from ._ask import whole_number

MAX_DIGITS = 7
LARGEST = 10**MAX_DIGITS - 1

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_DIGITS = "零一二三四五六七八九"
_PLACES = {"千": 1000, "百": 100, "十": 10, "": 1}


def numerals(n: int, seed: int) -> list[tuple[str, str]]:
    """Draw `n` pairs (English, Chinese), such as ("two hundred and five", "二百零五"); the same seed gives the same.

    The number of digits is uniform over 1 to 7, then the number is uniform among those with so many digits, so short
    ones are as frequent as long ones. Raises TypeError or ValueError unless `n` is a whole number of at least 1 and
    `seed` one of at least 0.
    """
    n, seed = whole_number(n, "n", least=1), whole_number(seed, "seed")
    rng = np.random.default_rng(seed)
    digits = rng.integers(1, MAX_DIGITS + 1, size=n)
    smallest = np.where(digits == 1, 0, 10 ** (digits - 1))
    numbers = rng.integers(smallest, 10**digits)
    return [(to_english(k), to_chinese(k)) for k in numbers.tolist()]


def to_english(k: int) -> str:
    """The number `k`, 0 to 9,999,999, in English words. Raises TypeError or ValueError for anything else."""
    k = _in_range(k)
    if k < 100:
        return _english_below_100(k)
    parts = []
    for size, name in ((1_000_000, "million"), (1_000, "thousand")):
        if k >= size:
            parts.append(f"{to_english(k // size)} {name}")
            k %= size
    if k >= 100:
        parts.append(f"{_UNITS[k // 100]} hundred")
        k %= 100
    if k:
        parts.append(f"and {_english_below_100(k)}")
    return " ".join(parts)


def to_chinese(k: int) -> str:
    """The number `k`, 0 to 9,999,999, in Chinese numerals. Raises TypeError or ValueError for anything else."""
    k = _in_range(k)
    if k == 0:
        return "零"
    upper, lower = divmod(k, 10_000)
    text = ""
    if upper:
        text = "两万" if upper == 2 else _chinese_group(upper) + "万"
        if 0 < lower < 1000:
            text += "零"
    text += _chinese_group(lower)
    return text.removeprefix("一") if text.startswith("一十") else text


def from_english(text: str) -> int:
    """The number that `to_english` writes as `text`. Raises ValueError for anything that it would not write."""
    total = group = 0
    for word in text.replace("-", " ").split():
        if word in _UNITS:
            group += _UNITS.index(word)
        elif word in _TENS:
            group += 10 * (_TENS.index(word) + 2)
        elif word == "hundred":
            group *= 100
        elif word in ("thousand", "million"):
            total += group * (1_000 if word == "thousand" else 1_000_000)
            group = 0
    return _checked(total + group, text, to_english)


def from_chinese(text: str) -> int:
    """The number that `to_chinese` writes as `text`. Raises ValueError for anything that it would not write."""
    total = group = digit = 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS.index(character)
        elif character == "两":
            digit = 2
        elif character == "万":
            total, group, digit = (group + digit) * 10_000, 0, 0
        elif character in _PLACES:
            group += (digit or 1) * _PLACES[character]
            digit = 0
    return _checked(total + group + digit, text, to_chinese)


def _in_range(k: int) -> int:
    k = whole_number(k, "k")
    if k > LARGEST:
        raise ValueError(f"k should be at most {LARGEST}, but it is {k}; pass a smaller one.")
    return k


def _english_below_100(k: int) -> str:
    if k < 20:
        return _UNITS[k]
    tens, unit = divmod(k, 10)
    return _TENS[tens - 2] + (f"-{_UNITS[unit]}" if unit else "")


def _chinese_group(group: int) -> str:
    """Up to four digits, without a 零 in front."""
    text, zeros_skipped = "", False
    for name, place in _PLACES.items():
        digit = group // place % 10
        if digit == 0:
            zeros_skipped = True
            continue
        if text and zeros_skipped:
            text += "零"
        zeros_skipped = False
        text += ("两" if digit == 2 and place == 1000 else _DIGITS[digit]) + name
    return text


def _checked(number: int, text: str, write) -> int:
    """The parsers above read generously; what they read counts only if it is written exactly so."""
    if number > LARGEST or write(number) != text:
        raise ValueError(
            f"text should be a number from 0 to {LARGEST} as {write.__name__} writes it, but it is {text!r}; "
            f"compare {write(min(number, LARGEST))!r}."
        )
    return number

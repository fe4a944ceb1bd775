"""The numbers of a text, English or Chinese: 200,000 is 20 万, two is 两, and 94 per cent is 94%."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

SMALL = 12  # up to here a language may repeat a number or leave a repetition out

ONES = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {word: 10 * number for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
        "seventeenth eighteenth nineteenth twentieth".split(),
        1,
    )
}
WORD = "|".join(sorted([*ONES, *TENS, *SCALES], key=len, reverse=True))
WRITTEN = re.compile(rf"\b(?:{WORD})(?:(?:[\s-]+|\s+and\s+)(?:{WORD}))*\b(?![\s-]*(?:hundred|thousand|million)ths?)", re.IGNORECASE)
DIGITS = re.compile(r"(?<![A-Za-z\d_.])(?P<sign>(?<![\d)])[−])?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\d|s\b)")  # the 1990s are no number
SCALED = re.compile(r"\s*(hundred|thousand|million|billion)\b(?!s)", re.IGNORECASE)
PER_CENT = re.compile(r"\s*(?:%|per\s?cent\b)", re.IGNORECASE)
POINTS = re.compile(r"\bpoints?\b", re.IGNORECASE)

GROUPED = re.compile("(?<![A-Za-z\\d_])\\d+(?:[.,’'\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]\\d+)*(?!\\d|s\\b)")

CHINESE_DIGITS = {sign: number for number, signs in enumerate(["零〇", "一", "二两双", "三", "四", "五", "六", "七", "八", "九"]) for sign in signs}
CHINESE_SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
CHINESE = re.compile(f"[{''.join([*CHINESE_DIGITS, *CHINESE_SCALES])}]+")
CHINESE_SCALED = re.compile(r"\s*(万亿|千万|百万|十万|亿|万|千|百)(?!分)")
CHINESE_PER_CENT = re.compile(r"\s*(?:[%％]|个百分点)")
SHARE = re.compile(rf"百分之\s?(?P<number>\d[\d,]*(?:\.\d+)?|{CHINESE.pattern})")
TWO_OF_THEM = re.compile("[两二双俩对副倍]|都|各|彼此|互相|分别|同时|前者|后者|2")

# Words for a part or a multiple, what a translation may have for them, and the numbers that it may write.
PARTS = [
    (re.compile(r"\bhal(?:f|ves)\b", re.IGNORECASE), re.compile("半|二分之|50|0\\.5"), ("0.5", "50", "2")),
    (re.compile(r"\btwo[\s-]thirds?\b", re.IGNORECASE), re.compile("三分之二|2/3"), ("2", "3")),
    (re.compile(r"\b(?:a|one)[\s-]third of\b", re.IGNORECASE), re.compile("三分之一|1/3"), ("1", "3")),
    (re.compile(r"\bthree[\s-]quarters?\b", re.IGNORECASE), re.compile("四分之三|3/4|75"), ("3", "4", "75")),
    (re.compile(r"\b(?:a|one)[\s-]quarter\b", re.IGNORECASE), re.compile("四分之一|1/4|25|一刻"), ("1", "4", "25", "15")),
    (re.compile(r"\bten[\s-]thousandths?\b", re.IGNORECASE), re.compile("万分之|0\\.0001|1/10,?000"), ("0.0001", "10000")),
    (re.compile(r"(?<!ten.)\bthousandths?\b", re.IGNORECASE), re.compile("千分之|0\\.001|1/1,?000"), ("0.001", "1000")),
    (re.compile(r"\bhundredths?\b", re.IGNORECASE), re.compile("百分之|0\\.01"), ("0.01", "1")),
    (re.compile(r"\btwice\b", re.IGNORECASE), TWO_OF_THEM, ("2",)),
]
MONTHS = {
    name: number
    for number, name in enumerate(
        "january february march april may june july august september october november december".split(), 1
    )
}
PRONOUNS = {1}  # "one" is a pronoun more often than a number


def value(digits: str) -> Decimal:
    return Decimal(digits.replace(",", "")).normalize()


def shown(number: Decimal) -> str:
    return f"{number:,f}"


# --- English -------------------------------------------------------------------------------------


def in_digits(text: str) -> Counter[Decimal]:
    """The numbers that an English text writes in digits; `3 million` is one number."""
    found: Counter[Decimal] = Counter()
    for match in DIGITS.finditer(text):
        number = value(match["number"]) * (-1 if match["sign"] else 1)
        scale = SCALED.match(text, match.end())
        found[(number * SCALES[scale[1].lower()]).normalize() if scale else number] += 1
    return found


def in_words(text: str) -> Counter[Decimal]:
    """The numbers that an English text writes in words: `two hundred and five` is 205."""
    found: Counter[Decimal] = Counter()
    for match in WRITTEN.finditer(text):
        if match.start() and re.search(r"[\d.]\s*$", text[: match.start()]) and match[0].split()[0].lower() in SCALES:
            continue  # the rest of `3 million`
        for number in _read_words(re.findall(rf"\b(?:{WORD})\b", match[0].lower())):
            found[Decimal(number)] += 1
    return found


def _read_words(words: list[str]) -> list[int]:
    """`two three` is two numbers, `twenty three` and `two hundred` are one each."""
    numbers, total, part = [], 0, None
    for word in words:
        if word in SCALES:
            part = (1 if part is None else part) * SCALES[word]
            if SCALES[word] >= 1_000:
                total, part = total + part, None
            continue
        number = ONES.get(word, TENS.get(word, 0))
        fits = part is None or (part % 100 == 0 and part > 0) or (part % 100 in TENS.values() and 0 < number < 10)
        if not fits:
            numbers.append(total + part)
            total, part = 0, None
        part = number if part is None else part + number
    if part is not None or total:
        numbers.append(total + (part or 0))
    return numbers


def per_cents(text: str) -> set[Decimal]:
    found = {value(match["number"]) for match in DIGITS.finditer(text) if PER_CENT.match(text, match.end())}
    for match in WRITTEN.finditer(text):
        if PER_CENT.match(text, match.end()):
            found.add(Decimal(_read_words(re.findall(rf"\b(?:{WORD})\b", match[0].lower()))[-1]))
    return found


# --- Chinese -------------------------------------------------------------------------------------


def chinese_value(signs: str) -> int:
    """The number that Chinese numerals write: 二百零五 is 205, 二〇二六 is 2026."""
    if not any(sign in CHINESE_SCALES for sign in signs):
        return int("".join(str(CHINESE_DIGITS[sign]) for sign in signs))
    total, below, digit = 0, 0, None
    for sign in signs:
        if sign in CHINESE_DIGITS:
            digit = CHINESE_DIGITS[sign]
            continue
        scale = CHINESE_SCALES[sign]
        if sign == "亿":
            total, below = (total + below + (digit or 0) or 1) * scale, 0
        elif sign == "万":
            total, below = total + (below + (digit or 0) or 1) * scale, 0
        else:
            below += (1 if digit is None else digit) * scale
        digit = None
    return total + below + (digit or 0)


def chinese_values(signs: str) -> list[int]:
    """The numbers that Chinese numerals write: 三四 is three or four."""
    digits = [CHINESE_DIGITS.get(sign) for sign in signs]
    if len(signs) == 2 and None not in digits and digits[1] == digits[0] + 1:
        return digits
    return [chinese_value(signs)]


def in_translation(text: str) -> tuple[Counter[Decimal], Counter[Decimal]]:
    """The numbers in digits of a translation, those with 万 and the like multiplied, and those in Chinese numerals."""
    digits: Counter[Decimal] = Counter()
    for match in DIGITS.finditer(text):
        number = value(match["number"]) * (-1 if match["sign"] else 1)
        scale = CHINESE_SCALED.match(text, match.end())
        digits[(number * chinese_value(scale[1])).normalize() if scale else number] += 1
    numerals = Counter(Decimal(number) for match in CHINESE.finditer(text) for number in chinese_values(match[0]))
    return digits, numerals


def translated_per_cents(text: str) -> set[Decimal]:
    found = {value(match["number"]) for match in DIGITS.finditer(text) if CHINESE_PER_CENT.match(text, match.end())}
    for match in SHARE.finditer(text):
        number = match["number"]
        found.add(value(number) if number[0].isdigit() else Decimal(chinese_value(number)))
    return found


# --- The comparison ------------------------------------------------------------------------------


def differences(source: str, translation: str) -> list[str]:
    """What numbers of the source are missing, and which ones came from nowhere. Both are words without formulas and code."""
    digits, words = in_digits(source), in_words(source)
    here, numerals = in_translation(translation)
    numerals += in_words(translation)  # English examples stay
    found = []
    for number, count in digits.items():
        standing = here[number] + numerals[number] + (number == Decimal("0.5") and "半" in translation)
        if not standing:
            found.append(f"The number {shown(number)} of the source is missing.")
        elif standing < count and (number > SMALL or number % 1):
            found.append(f"The number {shown(number)} stands {count} times in the source, {standing} times here.")
    for number in words:
        if int(number) in PRONOUNS or here[number] or numerals[number] or (number == 2 and TWO_OF_THEM.search(translation)):
            continue
        found.append(f"The number {shown(number)}, a word in the source, is missing.")
    allowed = _may_stand(source) | set(digits) | set(words)
    found += [f"The number {shown(number)} does not stand in the source." for number in here if number not in allowed]
    for part, rendering, _ in PARTS:
        if (match := part.search(source)) and not rendering.search(translation):
            found.append(f"The source's “{match[0]}” is missing.")
    return found + _share_differences(source, translation)


def differences_in_digits(source: str, translation: str) -> list[str]:
    """For a language whose number words nobody has taught this: what is written in digits, 0.65 as 0,65 and 200,000 as 200.000."""
    wanted, here = _digits(source), _digits(translation)
    found = [f"The number {number} of the source is missing." for digits, number in wanted.items() if digits not in here]
    allowed = {f"{number:f}".replace(".", "") for number in [*_may_stand(source), *in_words(source)]}
    return found + [f"The number {number} does not stand in the source." for digits, number in here.items() if digits not in wanted and digits not in allowed]


def _digits(text: str) -> dict[str, str]:
    """The numbers in digits as they stand, by their digits alone."""
    return {re.sub(r"\D", "", match[0]): match[0] for match in GROUPED.finditer(text)}


def _may_stand(source: str) -> set[Decimal]:
    """Numbers that a translation may write in digits for words of the source: ordinals, months, parts, a decade, one."""
    named = ORDINALS | MONTHS
    allowed = {Decimal(1)} | {Decimal(named[word]).normalize() for word in re.findall(r"[a-z]+", source.lower()) if word in named}
    for part, _, numbers in PARTS:
        if part.search(source):
            allowed |= {Decimal(number).normalize() for number in numbers}
    for decade in re.findall(r"\b(1\d\d0|20\d0)s\b", source):
        allowed |= {value(decade), Decimal(int(decade) % 100).normalize(), Decimal(int(decade) // 100 + 1)}
    return allowed


def _share_differences(source: str, translation: str) -> list[str]:
    wanted, here = per_cents(source), translated_per_cents(translation)
    found = [f"{shown(number)} per cent of the source is missing, or stands here without its sign." for number in wanted - here]
    if not wanted and not POINTS.search(source) and not any(part.search(source) for part, _, _ in PARTS):
        found += [f"{shown(number)} has a per cent sign that the source lacks." for number in here]
    return found

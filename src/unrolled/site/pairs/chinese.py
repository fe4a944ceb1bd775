"""How Chinese is set here: its own punctuation, a space between Chinese and Latin letters or numbers, “ ” as quotation marks."""

from __future__ import annotations

import re

from .spans import NOTHING, SIGN, TITLE

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
FULL = "，。、；：？！（）《》「」"
LATIN = rf"A-Za-z0-9\u00c0-\u024f\u0370-\u03ff%°{SIGN}"
ANY_HAN = re.compile(f"[{HAN}]")
# A mark of a European language beside a Chinese character.
HALF_WIDTH = re.compile(rf"[{HAN}”》）]\s?[,;:?!]|[,;:?!]\s?[{HAN}“《（]|[{SIGN}]\s?[,;:?!](?:\s?[{HAN}]|$)|[{SIGN}{HAN}],\s?[{SIGN}]")
FULL_STOP = re.compile(rf"[{HAN}”》）]\.(?!\w|\.)|(?<!\bal)(?<!\bvs)(?<!\betc)[{LATIN})]\.(?=\s*$|\s+[{HAN}])")
INSIDE = rf"[^()“”]*[A-Za-z{HAN}{SIGN}][^()“”]*"  # (+1, −1) is a pair of numbers and AR(2) a name: they stay as they are
BRACKET = re.compile(rf"[{HAN}]\s?\({INSIDE}\)|(?<![A-Za-z])\({INSIDE}\)\s?[{HAN}]|\([^()“”]*[{HAN}][^()“”]*\)|[{HAN}]\(|\)[{HAN}]")
TUPLE = re.compile(r"\([^()]*,[^()]*\)")
DOTS = re.compile(rf"[{HAN}]\s?(?:\.\.\.)|(?:\.\.\.)\s?[{HAN}]")
STRAIGHT_QUOTE = re.compile(r'"')
FULL_WIDTH_LETTER = re.compile("[Ａ-Ｚａ-ｚ０-９％＋＝]")
TOO_CLOSE = re.compile(rf"[{HAN}](?=[{LATIN}]|[−+±]\d)|[{LATIN}](?=[{HAN}])")
APART = re.compile(rf"[{HAN}]\s+(?=[{HAN}”“])|\s+(?=[{FULL}])|[{FULL}]\s+(?=\S)|[”“]\s+(?=[{HAN}])")  # “ nea” is a piece of a text
PAIRS = ["（）", "“”", "《》", "「」"]
FORMAL_YOU = re.compile("您")


def faults(words: str, source: str = "") -> list[str]:
    """What is set wrongly in a Chinese text, taken apart by `spans`, a sentence for each kind with its place. What the source has, too, may stand."""
    if not ANY_HAN.search(words):
        return []
    for pair in TUPLE.findall(source):
        words = words.replace(pair, SIGN)
    plain = re.sub(rf"!?\[([^\[\]]*)\]{NOTHING}", r"\1", words).replace(NOTHING, "")  # a link as its words
    plain = re.sub(r"\*+|(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])|~~", "", plain)
    checks = [
        (HALF_WIDTH, "Chinese text takes ，、；：？！, not , ; : ? ! as in"),
        (FULL_STOP, "A Chinese sentence ends in 。, not in a full stop as in"),
        (BRACKET, "Chinese text takes （ ）, not ( ) as in"),
        (DOTS, "Chinese text takes ……, not ... as in"),
        (STRAIGHT_QUOTE, "Chinese text takes “ ”, not straight quotation marks as in"),
        (FULL_WIDTH_LETTER, "Letters, digits and signs of arithmetic are narrow, not wide as in"),
        (TOO_CLOSE, "A space is missing between Chinese and Latin letters, numbers, formulas or code in"),
        (APART, "There is a space too many, beside a Chinese mark or between Chinese characters, in"),
        (FORMAL_YOU, "The reader is 你, not 您 as in"),
    ]
    found = [f"{sentence} {_around(plain, match)}." for pattern, sentence in checks if (match := pattern.search(plain))]
    found += [f"{sign} is no simplified character." for sign in dict.fromkeys(ANY_HAN.findall(plain)) if not (_simplified(sign) or sign in source)]
    found += [f"{left} and {right} do not pair up." for left, right in PAIRS if not _paired(plain, left, right)]
    return found


def _simplified(sign: str) -> bool:
    """Whether the standard set of simplified characters has it."""
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _around(text: str, match: re.Match[str]) -> str:
    shown = text[max(0, match.start() - 8) : match.end() + 8]
    return "“" + shown.replace(SIGN, "▢").replace(TITLE, "▢") + "”"


def _paired(text: str, left: str, right: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == left) - (sign == right)
        if depth not in (0, 1, 2):
            return False
    return depth == 0

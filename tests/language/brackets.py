"""What stands outside of the brackets of the pseudo-language."""

import re


def outside(text):
    """The words of a text that stand outside of all brackets: two letters and more."""
    left = None
    while left != text:
        left, text = text, re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
    return re.findall(r"[A-Za-z][A-Za-z'’]+", text)

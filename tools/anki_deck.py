#!/usr/bin/env python
"""Write the deck for Anki, _build/unrolled.apkg: python tools/anki_deck.py [FILE]"""

from __future__ import annotations

import sys
from pathlib import Path

from unrolled.yours import cards

COURSE = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else COURSE / "_build" / "unrolled.apkg"
    questions, terms = cards.build(COURSE, target)
    print(f"{target} holds {questions} questions and {terms} terms, each both ways: import it into Anki; a later one updates it and keeps your history.")

"""Search in Chinese, without a dictionary: each character and each pair of neighbours is a term of the index, and a query is cut into the same pairs.

So 梯度消失 finds the pages that have 梯度, 度消 and 消失, and no compound has to be known to a list. Words in Latin letters are searched as in English.
"""

from __future__ import annotations

import re

from sphinx.search.en import SearchEnglish

HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
RUNS = re.compile(rf"[{HAN}]+|[^\W{HAN}]+")


def terms(text: str) -> list[str]:
    """What the index has of a text: words, and of a run of Chinese characters each one and each pair of neighbours."""
    found = []
    for run in RUNS.findall(text):
        if not re.match(rf"[{HAN}]", run):
            found.append(run)
            continue
        found += [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
    return found


class SearchChinese(SearchEnglish):
    """Sphinx's index and its search in the browser, both by pairs of characters."""

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = rf"""
function splitQuery(query) {{
  const runs = query.match(/[{HAN}]+|(?:(?![{HAN}])[\p{{Letter}}\p{{Number}}_])+/gu) ?? [];
  return runs.flatMap((run) => (/^[{HAN}]./u.test(run) ? Array.from({{ length: run.length - 1 }}, (_, at) => run.slice(at, at + 2)) : [run]));
}}
"""

    def split(self, input: str) -> list[str]:
        """The terms of a text for the index."""
        return terms(input)

    def word_filter(self, word: str) -> bool:
        """Is it kept in the index? A Chinese character is a word."""
        return bool(re.match(rf"[{HAN}]", word)) or super().word_filter(word)

"""What is noticed between a block and its translation, and what is let through."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.corpora import numerals
from unrolled.site import pairs
from unrolled.site.pairs import chinese, numbers, spans, terms
from unrolled.site.pairs.said import said_problems

BOOK = Path(__file__).parents[2] / "book"
TERMS = """
- {en: hidden state, zh_CN: [隐状态], avoid: {zh_CN: [隐藏状态]}}
- {en: state, exactly: [states, the state], zh_CN: [状态]}
- {en: token, zh_CN: [词元], avoid: {zh_CN: [标记]}}
- {en: batch, zh_CN: [批量, 一批]}
- {en: n-gram, forms: ['\\w+ gram'], zh_CN: [n 元语法, 元语法]}
- {en: encoder–decoder, forms: [encoder decoder], zh_CN: [编码器–解码器]}
- {en: softmax, zh_CN: [softmax]}
- {en: window, zh_CN: [窗口]}
- {en: Windows, exactly: ['(?-i:on Windows)'], zh_CN: [Windows]}
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory) -> pairs.Rules:
    book = tmp_path_factory.mktemp("book")
    (book / "terms.yml").write_text(TERMS, encoding="utf-8")
    return pairs.load(book)


GOOD = [
    ("The loss falls to 0.65 bits.", "损失降到 0.65 比特。"),
    ("Read {ref}`rnn` before you start.", "开始之前，先读{ref}`rnn`。"),
    ("A {term}`batch` of $N$ sequences is `(T, N, D)`.", "$N$ 个序列组成的{term}`批量 <batch>`是 `(T, N, D)`。"),
    ("Each {term}`token <token>` has a row.", "每个{term}`词元 <token>`有一行。"),
    ("It read 200,000 characters.", "它读了 20 万个字符。"),
    ("After 17 steps a ten-thousandth is left.", "17 步之后剩万分之一。"),
    ("At lag 17 about one per cent is left.", "到滞后 17 约剩百分之一。"),
    ("It read 200,000 characters.", "它读了 200,000 个字符。"),
    ("About 1.5 million tokens, in two files.", "约 150 万个词元，分在两个文件里。"),
    ("It is right for 94 % of the verbs, not for 5 per cent.", "它对 94% 的动词是对的，而不是百分之五。"),
    ("Seventeen steps back stands the noun.", "名词在 17 步之前。"),
    ("Two hundred and five words.", "二百零五个词。"),
    ("One of them is right.", "其中有一个是对的。"),
    ("Half of the bits are lost.", "一半的比特丢失了。"),
    ("The first and the third line differ.", "第 1 行和第 3 行不同。"),
    ("In the 1990s nobody knew.", "20 世纪 90 年代没有人知道。"),
    ("**Verdict: false.** It depends on all inputs.", "**判断：错**。它取决于全部输入。"),
    ("Is it *is* or *are*?", "是 *is* 还是 *are*？"),
    ("The sentence “the keys near the cabinet are old” is right.", "“the keys near the cabinet are old”这句话是对的。"),
    ("An $n$-gram model, or a 7-gram.", "$n$ 元语法模型，或者 7 元语法。"),
    ("Not only the last input counts.", "起作用的远远超过最后一个输入。"),
    ("Loss by update.", "损失随更新次数的变化。图中英文：横轴“update”是更新次数，纵轴“loss, lag 0 = 1”是损失（滞后 0 处为 1）；“trained and read with 5 steps”是用 5 步训练和读。"),
    ("It is no more than a table.", "它就是一张表。"),
    ("softmax", "softmax"),
    ("`W_hh` is square.", "`W_hh` 是方阵。"),
    ("See [the paper](https://example.org/a_(b)) and the note.[^one]", "见[论文](https://example.org/a_(b))和注释。[^one]"),
    ("It took {seconds} s for {name}.", "{name} 用了 {seconds} 秒。"),
    ("at the start, where $p_\\text{tide}$ is small", "开头，$p_\\text{潮}$ 很小"),
    ("Encoder-decoder", "编码器–解码器"),
    ("−1 and +1", "−1 和 +1"),
    ("It leads to the state (+1, −1).", "它通向状态 (+1, −1)。"),
    ("A string of “(” and “)” is read.", "读入由“(”和“)”组成的字符串。"),
    ("The tide went out and the boats lay on **the** sand.", "The tide went out and the boats lay on **the** sand.（潮水退了，船搁在沙滩上。）"),
    ("**Challenge.** See “On the order of words”, once *more*.", "**挑战**。*再*看一遍“On the order of words”。"),
    ("Compare “the tide *came in*” with “the boats lay on the”.", "比较“the tide *came in*”（潮水涨了）和“the boats lay on the”。"),
    ("After the edition of *A Book on Four Things*.", "依照《四件事》（*A Book on Four Things* 的中文版）。"),
    ("An AR($p$) reads the values up to May 1990.", "AR($p$) 读入 1990 年 5 月以前的值。"),
    ("Three or four pieces; the pair (b, an) and “ nea” of 東京.", "三四个片段；对 (b, an) 和“東京”的“ nea”。"),
    ("On Linux and on Windows.", "在 Linux 和 Windows 上。"),
    ("It is trained on windows.", "它在窗口上训练。"),
    ("Without the term it is an MLP; the letters m a c h i n.", "去掉这一项，就是 MLP；字母 m a c h i n。"),
    ("Less than a ten-thousandth arrives, and a thousandth of it stays.", "送到的不到万分之一，其中千分之一留下。"),
    ("Two per cent of it arrive.", "送到百分之二。"),
    ("The perplexity of ids[1:], each given the one before.", "ids[1:] 的困惑度，每个都给定前一个。"),
    ("unrolled.token", "unrolled.token"),
    ("The states are 0 up to is and 1 after not.", "到 is 为止状态是 0，在 not 之后是 1。"),
    ("“Two hundred” begins with 二.", "“two hundred”以“二”开头。"),
    ("Hochreiter et al. found it.", "这是 Hochreiter 等人发现的。"),
]


@pytest.mark.parametrize(("source", "translation"), GOOD, ids=[source for source, _ in GOOD])
def test_a_good_pair_passes(source, translation, rules):
    assert pairs.problems(source, translation, rules) == []


HOSTILE = [
    # (what is wrong, source, translation, what is said)
    ("empty", "A loss.", " ", "The translation is empty"),
    ("a formula lost", "The shape of $\\mathbf H_t$ is given.", "形状已经给出。", "The formula $\\mathbf H_t$ of the source is missing"),
    ("a formula changed", "Here $H_{t-1}$ is read.", "这里读入 $H_{t+1}$。", "The formula $H_{t+1}$ does not stand"),
    ("code translated", "Call `read`.", "调用 `读`。", "The code `read` of the source is missing"),
    ("code twice", "Call `read`.", "调用 `read`，即 `read`。", "The code `read` does not stand in the source"),
    ("a role's target", "See {ref}`rnn`.", "见{ref}`lstm`。", "The role {ref} to rnn of the source is missing"),
    ("a term's target", "A {term}`token`.", "一个{term}`词元`。", "The role {term} to token of the source is missing"),
    ("a role's kind", "See {ref}`rnn`.", "见{doc}`rnn`。", "The role {doc} to rnn does not stand"),
    ("a link", "See [here](a.md).", "见[这里](b.md)。", "The link a.md of the source is missing"),
    ("a footnote", "So it is.[^why]", "就是这样。", "The footnote [^why] of the source is missing"),
    ("a placeholder renamed", "{name} is wrong.", "{名字} 错了。", "The placeholder {name} of the source is missing"),
    ("a percent placeholder", "%s of them.", "其中的几个。", "The placeholder %s of the source is missing"),
    ("a tag", "A<br>line.", "一行。", "The tag <br> of the source is missing"),
    ("a number", "It is 0.65 bits.", "它是 0.56 比特。", "The number 0.65 of the source is missing"),
    ("a number invented", "It is small.", "它是 12 比特。", "The number 12 does not stand in the source"),
    ("a wrong 万", "It read 200,000 words.", "它读了 2 万个词。", "The number 200,000 of the source is missing"),
    ("a share of another size", "A ten-thousandth is left after 17 steps.", "17 步之后剩千分之一。", "ten-thousandth"),
    ("a number in words", "Seventeen steps.", "七十步。", "The number 17, a word in the source, is missing"),
    ("a sign", "It is −1 here.", "这里是 1。", "The number -1 of the source is missing"),
    ("per cent", "It is 94 % here.", "这里是 94。", "94 per cent of the source is missing"),
    ("per cent added", "It is 94 here.", "这里是 94%。", "94 has a per cent sign that the source lacks"),
    ("a thousandth", "A thousandth of it remains.", "它留下百分之一。", "The source's “thousandth” is missing"),
    ("half", "Half of it remains.", "它还留着。", "The source's “Half” is missing"),
    ("a term", "The token is read.", "读入这个符号。", "“token” should be 词元 here"),
    ("a plural", "Two batches.", "两堆。", "“batches” should be 批量 or 一批 here"),
    ("a name to avoid", "The token, once more.", "词元，再说一遍，即标记。", "“token” should be 词元, not 标记"),
    ("a longer term", "The hidden state.", "隐藏状态。", "“hidden state” should be 隐状态 here"),
    ("a gram", "A $k$-gram.", "$k$ 连词。", "“k-gram” should be"),
    ("English left", "Read it. Then do it all again.", "读它。Then do it all again.", "“Then do it all again” is left in English"),
    ("nothing translated", "small letters", "small letters", "Nothing is translated"),
    ("a negation", "It does not depend on the weights.", "它取决于权重。", "The source says “not”, and nothing is denied"),
    ("a short negation", "It doesn't move.", "它会动。", "The source says “n't”, and nothing is denied"),
    ("a negation in emphasis", "It does **not** move.", "它**会**动。", "The source says “not”, and nothing is denied"),
    ("half-width comma", "First this, then that.", "先这样, 再那样。", "Chinese text takes ，"),
    ("half-width colon before code", "Call: `f`.", "调用: `f`。", "Chinese text takes ，"),
    ("full stop", "It is so.", "就是这样.", "A Chinese sentence ends in 。"),
    ("full stop after code", "It is `f`.", "它是 `f`.", "A Chinese sentence ends in 。"),
    ("brackets", "It (the loss) falls.", "它(损失)下降。", "Chinese text takes （ ）"),
    ("brackets around a word, with spaces", "The loss (nll) falls.", "损失 (nll) 下降。", "Chinese text takes （ ）"),
    ("straight quotation marks", 'He says "yes".', '他说"是"。', "Chinese text takes “ ”"),
    ("no space", "An LSTM reads.", "一个LSTM读入。", "A space is missing"),
    ("no space at code", "The array `X` is read.", "读入数组`X`。", "A space is missing"),
    ("no space at a formula", "For $N$ units.", "对$N$ 个单元。", "A space is missing"),
    ("a space at a mark", "It falls, slowly.", "它下降 ，很慢。", "There is a space too many"),
    ("a space inside", "It falls.", "它 下降。", "There is a space too many"),
    ("您", "You see it.", "您看到了。", "The reader is 你"),
    ("traditional", "The net.", "這張网。", "這 is no simplified character"),
    ("quotation marks open", "He says “yes”.", "他说“是。", "“ and ” do not pair up"),
    ("emphasis beside a mark", "**Note:** it falls.", "**注意：**它下降。", "The parser finds strong emphasis"),
    ("emphasis lost", "It *is* so.", "就是这样。", "The parser finds emphasis"),
    ("a list begins", "In 3. of them.", "3. 其中。", "The parser finds"),
    (
        "a sentence lost",
        "The network reads the text from left to right, and it writes down what it has seen so far. Then it forgets everything that it has read and begins again.",
        "网络从左到右读文本。",
        "is something missing?",
    ),
]


@pytest.mark.parametrize(("source", "translation", "said"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_bad_pair_is_noticed(source, translation, said, rules):
    found = pairs.problems(source, translation, rules)
    assert any(said in problem for problem in found), found


OTHERS = [
    ("pt_BR", "Two units are enough, but half of the 200,000 lines are not read.", "Duas unidades bastam, mas metade das 200.000 linhas não é lida."),
    ("pt_BR", "Skip to the content of the page", "Pular para o conteúdo da página"),
    ("de", "At lag 17 the loss falls to 0.65 bits; in the 1990s it was twice that.", "Bei Abstand 17 fällt der Verlust auf 0,65 Bit; in den 90er Jahren war er doppelt so hoch."),
    ("fr", "It is right for 94 % of the verbs on 3 March.", "C’est juste pour 94 % des verbes le 3 mars."),
    ("ja", "The sentence “the keys near the cabinet are old” is right.", "「the keys near the cabinet are old」という文は正しい。"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "source", "translation"), OTHERS)
def test_a_good_pair_in_another_language_passes(language, source, translation):
    assert pairs.problems(source, translation, pairs.load(BOOK, language)) == []


@pytest.mark.parametrize(("source", "translation", "problem"), [
    ("The loss falls to 0.65 bits.", "Der Verlust fällt auf 0,56 Bit.", "The number 0.65 of the source is missing."),
    ("The loss falls to 0.65 bits.", "Der Verlust fällt in 3 Tagen auf 0,65 Bit.", "The number 3 does not stand in the source."),
    ("Skip to the content of the page, then read.", "Skip to the content of the page, dann lesen.", "“Skip to the content of the page” is left in English."),
])  # fmt: skip
def test_a_bad_pair_in_another_language_is_noticed(source, translation, problem):
    assert problem in pairs.problems(source, translation, pairs.load(BOOK, "de"))


def test_an_excused_problem_is_let_through(tmp_path):
    (tmp_path / "terms.yml").write_text(TERMS, encoding="utf-8")
    folder = tmp_path / "locales" / "zh_CN"
    folder.mkdir(parents=True)
    pair = ("The token ring.", "令牌环。")
    assert pairs.problems(*pair, pairs.load(tmp_path)) == ["“token” should be 词元 here."]
    (folder / "exceptions.yml").write_text('- {source: The token ring., problem: “token” should be, reason: another kind of token}', encoding="utf-8")
    assert pairs.problems(*pair, pairs.load(tmp_path)) == []


def test_an_exception_without_a_reason_is_refused(tmp_path):
    (tmp_path / "terms.yml").write_text(TERMS, encoding="utf-8")
    (tmp_path / "locales" / "zh_CN").mkdir(parents=True)
    (tmp_path / "locales" / "zh_CN" / "exceptions.yml").write_text("- {source: a, problem: b}", encoding="utf-8")
    with pytest.raises(terms.TermsError, match="reason"):
        pairs.load(tmp_path)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("- {en: token, zh_CN: []}", "has no name"),
        ("- {zh_CN: [词元]}", "English name"),
        ("- {en: token, zh_CN: [词元], froms: [tokens]}", "unknown field froms"),
        ("- {en: cell, zh_CN: [单元]}\n- {en: unit, forms: [cell], zh_CN: [单元]}", "both claim the form cell"),
        ("en: token", "list of terms"),
    ],
)
def test_a_malformed_term_base_is_refused_with_one_sentence(tmp_path, entry, said):
    (tmp_path / "terms.yml").write_text(entry, encoding="utf-8")
    with pytest.raises(terms.TermsError, match=said):
        terms.read(tmp_path / "terms.yml", "zh_CN")


# --- Numbers -------------------------------------------------------------------------------------

NUMERALS = numerals(300, seed=0)


def test_english_number_words_and_chinese_numerals_of_a_number_are_equal():
    for english, han in NUMERALS:
        assert set(numbers.in_words(english)) == {Decimal(numbers.chinese_value(han))}, (english, han)


@given(st.integers(13, 9_999), st.sampled_from([1, 10_000, 100_000_000]))
def test_a_number_passes_in_digits_and_with_its_chinese_scale(number, scale):
    sign = {1: "", 10_000: " 万", 100_000_000: " 亿"}[scale]
    source = f"It has {number * scale:,} weights."
    for written in (f"{number}{sign}", f"{number * scale:,}"):
        assert numbers.differences(source, f"它有 {written} 个权重。") == []
    assert numbers.differences(source, f"它有 {number + 1}{sign} 个权重。") != []


@given(st.decimals(min_value=0, max_value=1000, places=3), st.decimals(min_value=0, max_value=1000, places=3))
def test_another_decimal_number_is_noticed(one, other):
    found = numbers.differences(f"It is {one} here.", f"这里是 {other}。")
    assert (found == []) == (one == other)


# --- Taking a block apart ------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["`a b`", "$x_t$", "{ref}`rnn`", "{term}`x <token>`", "[^n]", "<br>", "{name}", "%s", " words ", "1,000", "损失", "。"])))
def test_a_lost_piece_is_noticed_wherever_it_stands(parts):
    whole = spans.take_apart("".join(parts))
    for place, part in enumerate(parts):
        if part.strip() in ("words", "1,000", "损失", "。"):
            continue
        rest = spans.take_apart("".join(parts[:place] + parts[place + 1 :]))
        assert spans.differences(whole, rest)


@given(st.text(alphabet="ab `$*{}[]()<>%\\_。损，“”失19.,", max_size=40), st.text(alphabet="ab `$*{}[]()<>%\\_。损，“”失19.,", max_size=40))
def test_no_text_breaks_the_check(source, translation):
    assert isinstance(pairs.problems(source, translation, EMPTY), list)


EMPTY = pairs.Rules("zh_CN", terms.Finder(()), frozenset(), frozenset())


# --- The course's own base -----------------------------------------------------------------------


def glossary() -> dict[str, str | None]:
    """English and Chinese name of each entry of the glossary page."""
    body = re.search(r"^```\{glossary\}\n(.*?)^```", (BOOK / "appendix" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]
    names = [[line for line in entry.split("\n") if line and not line[0].isspace()] for entry in re.split(r"\n\s*\n", body.strip("\n"))]
    return {lines[0]: lines[1] if len(lines) > 1 else None for lines in names}


def test_the_names_of_the_glossary_are_those_of_the_term_base():
    base = {term.english: term.name_in_glossary() for term in terms.read(BOOK / "terms.yml", "zh_CN") if term.glossary}
    assert base == glossary()


def test_no_name_of_a_term_is_one_that_it_avoids():
    for term in terms.read(BOOK / "terms.yml", "zh_CN"):
        assert not [(name, other) for name in term.names for other in term.avoid if other in name], term.english


def test_the_names_of_terms_are_set_as_texts_are():
    faulty = {name: found for term in terms.read(BOOK / "terms.yml", "zh_CN") for name in term.names if (found := chinese.faults(name))}
    assert faulty == {}


# --- What the package says -----------------------------------------------------------------------


@pytest.mark.parametrize(("source", "translation"), [
    ("Write [^a-z].", "请写 [^a-z]。"),
    ("A vocabulary without <unk>.", "这个词表没有 <unk>。"),
    ("Sort by (-count, token).", "请按 (-count, token) 排序。"),
    ("{name}: expected a list, received {value}.", "{name}：应为列表，得到的是{value}。"),
    ('For a hint: check.hint("{task}").', '想要提示：运行 check.hint("{task}")。'),
    ("Open it with:  {command}", "用这条命令打开：  {command}"),
])  # fmt: skip
def test_code_in_what_the_package_says_needs_no_marks(rules, source, translation):
    assert said_problems(source, translation, rules) == []


@pytest.mark.parametrize(("source", "translation", "problem"), [
    ("The hidden state of step 4 is wrong.", "第 5 步的隐状态错了。", "4"),
    ("Received {value} at {place}.", "收到{value}。", "{place} of the source is missing"),
    ("Sort the tokens by (-count, token).", "把单词按 (-count, token) 排序。", "“tokens” should be 词元"),
    ("Add b_q.", "请加上 b_h。", "The code b_q of the source is missing."),
    ("Add b_q.", "请加上 b_q 和 b_h。", "The code b_h does not stand in the source."),
    ("Nothing was changed in work/.", "work/里改动过.", "A Chinese sentence ends in 。"),
    ("It is not as expected here.", "It is not as expected 在这里。", "is left in English"),
])  # fmt: skip
def test_a_wrong_translation_in_the_package_is_noticed(rules, source, translation, problem):
    assert any(problem in found for found in said_problems(source, translation, rules))

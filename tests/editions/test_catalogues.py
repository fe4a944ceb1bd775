"""Catalogues follow their sources, and take in what translators write."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from unrolled.editions import catalogues, sources

COURSE = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("translation_tool", COURSE / "tools" / "translation.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

PAGE = "# A head\n\nThe first paragraph says 93 % of it.\n\nThe second paragraph stays.\n"


@pytest.fixture
def small(tmp_path):
    """A course of one page."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("root: book/index\n")
    (tmp_path / "_config.yml").write_text("title: Small\n")
    (tmp_path / "README.md").write_text("# Read me\n")
    (tmp_path / "book" / "index.md").write_text(PAGE)
    return tmp_path


def no_problems(source, translation):
    return []


def entered(small, text, problems=no_problems):
    return tool.enter(small, "zh_CN", "index", text, problems)


def po(small):
    return catalogues.path_of(small, "zh_CN", "index")


def test_what_todo_asks_for_and_a_translator_fills_in_is_stored(small):
    asked = tool.todo(small, "zh_CN", "index")
    assert asked == "### 1\nA head\n---\n\n\n### 2\nThe first paragraph says 93 % of it.\n---\n\n\n### 3\nThe second paragraph stays.\n---\n\n"
    assert entered(small, asked.replace("A head\n---\n", "A head\n---\n标题\n")) == (1, [])
    assert catalogues.translations(po(small), "zh_CN") == {"A head": "标题"}
    assert "### 1" not in tool.todo(small, "zh_CN", "index")


def test_a_block_without_its_source_counts_by_its_number(small):
    assert entered(small, "### 2\n---\n第一段。\n") == (1, [])
    assert catalogues.translations(po(small), "zh_CN") == {"The first paragraph says 93 % of it.": "第一段。"}


def test_a_pair_with_a_problem_is_not_stored_and_the_reason_is_listed(small):
    stored, refused = entered(small, "### 1\nA head\n---\n标题\n\n### 2\n---\n第一段。\n", lambda source, _: ["The number 93 is missing."] if "93" in source else [])
    assert (stored, refused) == (1, ["### 2: The number 93 is missing."])
    assert set(catalogues.translations(po(small), "zh_CN")) == {"A head"}


def test_a_block_whose_source_is_not_on_the_page_is_listed(small):
    stored, refused = entered(small, "### 1\nAnother head\n---\n标题\n")
    assert stored == 0 and "Another head" in refused[0] and not po(small).exists()


def test_a_file_without_blocks_is_refused(small):
    with pytest.raises(tool.Refused, match="### 1"):
        entered(small, "Some text.\n")


def test_a_changed_message_is_fuzzy_with_its_former_text_and_not_used(small):
    entered(small, "### 1\n---\n标题\n\n### 2\n---\n第一段。\n\n### 3\n---\n第二段。\n")
    (small / "book" / "index.md").write_text(PAGE.replace("says 93 %", "says 94 %"))
    tool.update(small, "zh_CN")
    assert '#, fuzzy\n#| msgid "The first paragraph says 93 % of it."' in po(small).read_text()
    assert set(catalogues.translations(po(small), "zh_CN")) == {"A head", "The second paragraph stays."}
    assert tool.status(small, "zh_CN")[0] == "index: 0 missing, 1 changed, of 3 entries"
    assert "### 2\nThe first paragraph says 94 % of it.\n---\n第一段。\n" in tool.todo(small, "zh_CN", "index")


def test_a_long_former_text_stays_on_one_line_and_goes_once_the_entry_is_translated_anew(small):
    long = 'says "93 %" of it, ' + "word after word, " * 20
    page = small / "book" / "index.md"
    page.write_text(PAGE.replace("says 93 % of it.", long + "end."))
    entered(small, "### 2\n---\n第一段。\n")
    page.write_text(PAGE.replace("says 93 % of it.", long + "stop."))
    for _ in range(2):
        tool.update(small, "zh_CN")
        former = [line for line in po(small).read_text().splitlines() if line.startswith("#|")]
        assert len(former) == 1 and former[0].endswith('word after word, end."')
    entered(small, "### 2\n---\n第一段。\n")
    assert "#|" not in po(small).read_text() and "# |" not in po(small).read_text()


def test_an_update_and_the_list_of_what_needs_work_are_about_every_language(small, monkeypatch, capsys):
    monkeypatch.setattr(tool, "COURSE", small)
    for language, words in (("zh_CN", "标题"), ("de", "Eine Überschrift")):
        tool.enter(small, language, "index", f"### 1\n---\n{words}\n", no_problems)
    (small / "book" / "index.md").write_text(PAGE.replace("A head", "Another head"))
    assert tool.main(["update"]) == 0
    said = capsys.readouterr().out
    assert "zh_CN index: 2 missing, 1 changed" in said and "de index: 2 missing, 1 changed" in said


def test_what_is_no_longer_on_the_page_goes_from_the_catalogue(small):
    entered(small, "### 1\n---\n标题\n\n### 3\n---\n第二段。\n")
    (small / "book" / "index.md").write_text("# A head\n")
    tool.update(small, "zh_CN")
    assert "第二段" not in po(small).read_text() and "标题" in po(small).read_text()


def test_an_update_without_a_change_leaves_every_byte(small):
    entered(small, "### 1\n---\n标题\n\n### 2\n---\n“第一段” \\\\ 93 %。\n")
    before = po(small).read_bytes()
    tool.update(small, "zh_CN")
    assert po(small).read_bytes() == before and b"python-format" not in before


def test_a_complete_readme_lies_beside_the_english_one(small):
    tool.enter(small, "zh_CN", "README", "### 1\n---\n自述\n", no_problems)
    assert (small / "README.zh-CN.md").read_text() == "# 自述\n"


def test_translated_readmes_are_those_of_their_catalogues():
    for language in catalogues.languages(COURSE):
        path = catalogues.path_of(COURSE, language, "README")
        if path.is_file():
            assert tool.readme(COURSE, language).read_text() == sources.replaced(COURSE / "README.md", catalogues.translations(path, language))


def test_an_unknown_page_is_named_with_those_that_there_are(small):
    with pytest.raises(tool.Refused, match="nothing.*index, pictures, README, site"):
        tool.todo(small, "zh_CN", "nothing")


def test_a_catalogue_that_exists_is_complete_and_in_step_with_its_sources():
    """After a change in the English text, `make translation` updates the catalogues and lists what needs work."""
    unfinished = {}
    for language in catalogues.languages(COURSE):
        for name in sources.catalogues(COURSE):
            path = catalogues.path_of(COURSE, language, name)
            if path.is_file():
                standing = catalogues.standing(path, language, sources.messages(COURSE, name))
                unfinished |= {} if standing.complete else {f"{language}/{name}": standing}
    assert unfinished == {}

"""Labelled texts: the formats that are read, columns guessed or named, what is refused, what is dropped, and the split."""

import json
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.corpora import LabelledTexts, labelled

ROWS = [("a fine film, really", "pos"), ('she said "no" and left', "neg"), ("two\nlines of it", "pos"), ("dull", "neg"), ("loved it", "pos")]


@pytest.fixture
def write(tmp_path):
    def write(content, name="own.csv"):
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")
        return tmp_path / name

    return write


def refused(path, **options):
    with pytest.raises((ValueError, OSError)) as caught:
        labelled(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pairs(data):
    return list(zip(data.texts, data.labels, strict=True))


# --- Formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separated_values_are_read_whatever_the_separator(write, separator):
    quoted = "\n".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [("text", "label"), *ROWS])
    assert pairs(labelled(write(quoted))) == ROWS


def test_json_lines_are_read(write):
    assert pairs(labelled(write("\n".join(json.dumps({"text": t, "label": y}) for t, y in ROWS), "own.jsonl"))) == ROWS


def test_a_json_list_of_objects_is_read(write):
    assert pairs(labelled(write(json.dumps([{"text": t, "label": y} for t, y in ROWS]), "own.json"))) == ROWS


def test_json_labels_that_are_numbers_or_truth_values_become_words(write):
    content = '{"text": "a", "label": 0}\n{"text": "b", "label": true}\n{"text": "c", "label": 2.5}\n'
    assert labelled(write(content, "own.jsonl")).labels == ["0", "true", "2.5"]


def test_a_folder_for_each_class_is_read_and_imdbs_unlabelled_folder_is_counted(tmp_path):
    for label, texts in {"pos": ["good", "great"], "neg": ["bad", ""], "unsup": ["who knows"]}.items():
        (tmp_path / label).mkdir()
        for i, text in enumerate(texts):
            (tmp_path / label / f"{i}_7.txt").write_text(text)
    (tmp_path / "urls_pos.txt").write_text("http://...")
    data = labelled(tmp_path)
    assert pairs(data) == [("bad", "neg"), ("good", "pos"), ("great", "pos")]
    assert data.dropped == {"without label": 1, "without text": 1}


def test_imdbs_outer_folder_is_answered_with_the_folders_that_can_be_named(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part / "pos").mkdir(parents=True)
        (tmp_path / part / "pos" / "0.txt").write_text("good")
    assert "name one of 'test' or 'train' in it" in refused(tmp_path)


def test_ag_news_without_a_header_is_read_title_and_description_joined(write):
    rows = [
        f'"{i % 4 + 1}","Title {i} on the ""market""","Reuters - Text number {i} goes on\\and on, with commas."' for i in range(12)
    ]
    data = labelled(write("\n".join(rows), "train.csv"))
    assert data.labels[:5] == ["1", "2", "3", "4", "1"]
    assert data.texts[3] == 'Title 3 on the "market" Reuters - Text number 3 goes on\\and on, with commas.'


def test_ag_news_with_a_header_is_read_title_and_description_joined(write):
    data = labelled(write("Class Index,Title,Description\n3,Oil up,It rose.\n4,New chip,It is fast.\n"))
    assert pairs(data) == [("Oil up It rose.", "3"), ("New chip It is fast.", "4")]


def test_imdb_as_one_csv_file_is_read(write):
    data = labelled(write('review,sentiment\n"One of the ""best"".<br /><br />Go, see it.",positive\nAwful.,negative\n'))
    assert pairs(data) == [('One of the "best".<br /><br />Go, see it.', "positive"), ("Awful.", "negative")]


def test_a_tab_separated_file_with_loose_quotation_marks_loses_no_row(write):
    data = labelled(write('text\tlabel\n"so he said\tneg\nfine\tpos\n5" screen\tpos\n', "own.tsv"))
    assert pairs(data) == [('"so he said', "neg"), ("fine", "pos"), ('5" screen', "pos")]


def test_a_text_longer_than_the_csv_module_allows_is_read(write):
    long = "word " * 60_000
    assert labelled(write(f"text,label\n{long},a\nshort,b\n")).texts == [long.strip(), "short"]


def test_a_separator_that_excel_names_is_used(write):
    assert pairs(labelled(write("sep=;\ntext;label\na, b;x\nc, d;y\n"))) == [("a, b", "x"), ("c, d", "y")]


# --- Columns -----------------------------------------------------------------------------------


def test_named_columns_are_taken_and_nothing_is_guessed(write):
    data = labelled(write("text,label,what\na,x,1\nb,y,2\n"), text="text", label="what")
    assert pairs(data) == [("a", "1"), ("b", "2")]
    assert data.notes == ()


def test_guessed_columns_are_said(write):
    data = labelled(write("id,Review Text,Sentiment\n1,a,x\n2,b,y\n"))
    assert "Texts are taken from 'Review Text', labels from 'Sentiment'" in data.notes[0]


def test_columns_without_telling_names_are_guessed_from_their_values(write):
    rows = "\n".join(f"{i},this is text number {i},{'ab'[i % 2]}" for i in range(10))
    data = labelled(write(f"nr,what was said,kind of it\n{rows}\n"))
    assert data.texts[0] == "this is text number 0"
    assert data.classes == ["a", "b"]


def test_two_columns_that_could_be_labels_are_asked_about(write):
    rows = "\n".join(f"this is text number {i},{'ab'[i % 2]},{'cde'[i % 3]}" for i in range(12))
    assert "it could be 'p' or 'q'; name it: label=" in refused(write(f"said,p,q\n{rows}\n"))


def test_a_file_without_a_label_column_is_refused_with_its_columns(write):
    message = refused(write("text,id\nfirst,1\nsecond,2\nthird,3\n"))
    assert "should have a column of labels" in message
    assert "'text' and 'id'" in message


def test_a_column_that_is_not_there_is_answered_with_those_that_are(write):
    assert "there is no 'mood'; its columns are 'text' and 'label'" in refused(write("text,label\na,x\nb,y\n"), label="mood")


def test_one_column_for_both_is_refused(write):
    assert "different columns" in refused(write("text,label\na,x\nb,y\n"), text="label", label="label")


# --- What is refused, and what is dropped ------------------------------------------------------


def test_one_class_is_refused(write):
    assert "all 2 usable rows have the label 'x'" in refused(write("text,label\na,x\nb,x\n"))


def test_a_label_that_never_recurs_is_refused(write):
    rows = "\n".join(f"text {i},{i}" for i in range(20))
    assert "20 different ones in 20 rows" in refused(write(f"text,label\n{rows}\n"), text="text", label="label")


def test_labels_that_are_all_missing_are_refused_with_counts(write):
    assert "none of its 2 rows has both (2 without label)" in refused(write("text,label\na,\nb,\n"))


def test_a_header_alone_is_refused(write):
    assert "rows below its header" in refused(write("text,label\n"))


def test_a_text_without_columns_is_refused(write):
    assert "most rows have one value" in refused(write("A plain text\nwith lines\nand no columns\n"))


def test_lines_that_are_no_json_are_refused_with_the_first(write):
    message = refused(write("{'text': 'a'}\n{'text': 'b'}\n", "own.jsonl"))
    assert "line 1" in message
    assert "one JSON object a line" in message


def test_separators_alone_are_refused(write):
    assert "should" in refused(write(",,,\n,,,\n"))


def test_what_is_dropped_is_counted_by_reason(write):
    content = "text,label,film\ngood,x,1\n,x,1\nbad,,1\ngood,x,2\nsad,y,\nmore,y,3\nodd,y\n"
    data = labelled(write(content), group="film")
    assert data.dropped == {"without text": 1, "without label": 1, "repeated": 1, "without group": 1, "not readable": 1}
    assert pairs(data) == [("good", "x"), ("more", "y")]
    assert any("Of 7 rows, 5 were dropped" in note for note in data.notes)


def test_the_same_text_with_two_labels_is_kept_and_said(write):
    data = labelled(write("text,label\nso so,x\nso so,y\n"))
    assert len(data) == 2
    assert "1 texts occur again with another label" in data.notes[-1]


def test_an_empty_file_is_refused_as_a_text_is(write):
    assert "it is empty" in refused(write(""))


def test_classes_that_are_numbers_are_sorted_by_size():
    assert LabelledTexts(["a"] * 4, ["10", "9", "nan", "b"]).classes == ["9", "10", "b", "nan"]


# --- The split ---------------------------------------------------------------------------------


def made_up(n, classes, groups=None, seed=0):
    draw = random.Random(seed)
    return LabelledTexts(
        [f"text {i}" for i in range(n)],
        [f"class {draw.choice(classes)}" for _ in range(n)],
        None if groups is None else [f"group {draw.randrange(groups)}" for _ in range(n)],
    )


def test_each_class_has_its_share_of_every_part():
    data = made_up(2000, [0] * 8 + [1] * 3 + [2])
    whole = Counter(data.labels)
    for part, share in zip(data.split((0.7, 0.2, 0.1))[:3], (0.7, 0.2, 0.1), strict=True):
        for label, count in Counter(part.labels).items():
            assert abs(count - share * whole[label]) <= 1


@given(n=st.integers(20, 200), groups=st.integers(5, 30), seed=st.integers(0, 10))
def test_no_group_is_torn_apart_and_no_row_is_lost(n, groups, seed):
    data = made_up(n, [0, 1, 2], groups, seed)
    train, validation, test, _ = data.split(seed=seed)
    assert sorted(train.texts + validation.texts + test.texts) == sorted(data.texts)
    assert not set(train.groups) & set(validation.groups)
    assert not (set(train.groups) | set(validation.groups)) & set(test.groups)


def test_groups_are_shared_out_so_that_classes_keep_their_shares():
    data = made_up(3000, [0, 0, 0, 1], groups=300)
    train, validation, test, _ = data.split()
    assert abs(len(test) - 300) < 30
    shares = [part.labels.count("class 1") / len(part) for part in (train, validation, test)]
    assert max(shares) - min(shares) < 0.03


def test_large_and_small_groups_are_met_in_every_part():
    """A split by size would put all large groups into the largest part."""
    groups = [f"large {i // 12}" for i in range(1200)] + [f"small {i // 2}" for i in range(1200)]
    data = LabelledTexts([str(i) for i in range(2400)], ["a", "b"] * 1200, groups)
    for part in data.split((0.6, 0.2, 0.2))[:3]:
        assert 0.4 < np.mean([group.startswith("large") for group in part.groups]) < 0.6


def test_rows_with_the_same_text_stay_together_where_there_are_no_groups():
    data = LabelledTexts([f"text {i % 40}" for i in range(80)], ["a"] * 40 + ["b"] * 40)
    train, validation, test, _ = data.split()
    assert not set(train.texts) & (set(validation.texts) | set(test.texts))


def test_the_seed_decides_the_split():
    data = made_up(100, [0, 1])
    assert data.split(seed=1) == data.split(seed=1) != data.split(seed=2)


def test_a_class_of_three_rows_is_met_in_every_part():
    data = LabelledTexts([str(i) for i in range(103)], ["common"] * 100 + ["rare"] * 3)
    assert all("rare" in part.labels for part in data.split()[:3])


def test_a_class_that_training_never_sees_is_said():
    data = LabelledTexts([str(i) for i in range(30)], ["a"] * 10 + ["b"] * 10 + ["c"] * 10, ["1"] * 10 + ["2"] * 10 + ["3"] * 10)
    notes = " ".join(data.split((0.4, 0.3, 0.3)).notes)
    assert "which no training example has" in notes


def test_texts_that_recur_in_another_group_are_counted():
    data = LabelledTexts(["same"] * 30, ["a", "b"] * 15, [str(i) for i in range(30)])
    parts = data.split()
    assert f"{len(parts.test)} of the {len(parts.test)} texts of the test part stand in the training part, too" in parts.notes[-1]


def test_too_few_groups_for_three_parts_are_refused():
    data = LabelledTexts(["a", "b", "c", "d"], ["x", "y", "x", "y"], ["1", "1", "2", "2"])
    with pytest.raises(ValueError, match="the 4 rows have 2 groups, too few"):
        data.split()


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.8, 0.2, 0.0), (0.5, 0.3, 0.3), (1.2, -0.1, -0.1)])
def test_fractions_that_are_no_three_shares_are_refused(fractions):
    with pytest.raises(ValueError, match="three numbers above 0 with the sum 1"):
        made_up(20, [0, 1]).split(fractions)


def test_data_at_the_end_of_a_cell_shows_its_beginning_and_what_was_dropped(write):
    rows = "".join(f"text number {i},{'pos' if i % 2 else 'neg'}\n" for i in range(5_000))
    shown = repr(labelled(write("text,label\n" + rows + ",pos\n")))
    assert "text number 0" in shown and "without text" in shown and len(shown) < 1_500

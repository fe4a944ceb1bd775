"""`unrolled train`: what it writes, what it says before training, and that it goes on wherever it was stopped."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import pytest
import torch
from own_files import HOSTILE, opinions, run_train, story
from typer.testing import CliRunner

from unrolled.cli import app
from unrolled.owndata import command, run
from unrolled.owndata.text import TextTask

# The command in a process of its own; it saves after every update, and not only every ten seconds.
CODE = "from unrolled.owndata import run; run.SAVE_EVERY_SECONDS = 0.0; from unrolled.cli import main; main()"


class Tags(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def tale(tmp_path):
    path = tmp_path / "tale.txt"
    path.write_text(story(), encoding="utf-8")
    return path


def start(*arguments, **options):
    """The command, begun."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, "train", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


def wait_for(path, process):
    """Until the file is there."""
    until = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert path.exists(), process.communicate()


# --- The reports -------------------------------------------------------------------------------


def test_the_report_on_a_text_has_ladder_curves_samples_surprise_units_and_how_to_repeat_it(text_report):
    text = Tags(text_report.read_text(encoding="utf-8")).text
    headings = ["The ladder", "Training", "Samples", "What surprised it", "Units that track something", "To repeat it"]
    assert all(heading in text for heading in headings)
    assert all(name in text for name in ("uniform", "unigram", "bigram", "Kneser–Ney", "gzip", "xz", "LSTM"))
    assert all(f"Temperature {t}" in text for t in ("0.3", "0.6", "0.8", "1"))
    assert "unrolled train" in text


def test_the_report_on_a_table_has_baselines_confusions_and_mistakes(labelled_report):
    text = Tags(labelled_report.read_text(encoding="utf-8")).text
    assert all(name in text for name in ("the commonest label", "5-gram model of each class", "bag of words", "LSTM in both directions"))
    assert all(heading in text for heading in ("What was taken for what", "The most confident mistakes", "To repeat it"))


@pytest.mark.parametrize("which", ["text_report", "labelled_report"])
def test_what_the_file_holds_is_escaped(which, request):
    html = request.getfixturevalue(which).read_text(encoding="utf-8")
    page = Tags(html)
    assert "script" not in page.tags and "img" not in page.tags and "b" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert HOSTILE[:8] in page.text


@pytest.mark.parametrize("which", ["text_report", "labelled_report"])
def test_the_report_names_no_address(which, request):
    page = Tags(request.getfixturevalue(which).read_text(encoding="utf-8"))
    addresses = [value for name, value in page.attributes if name in ("src", "href", "srcset", "data", "action")]
    assert addresses == ["data:,"]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in page.attributes


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_other_cells_are_trained_as_well(tale, tmp_path, cell):
    report, printed = run_train(tale, tmp_path / "run", cell=cell, passes=0.5)
    assert f">{cell.upper()}<" in report.read_text(encoding="utf-8")
    assert printed.startswith(f"{cell.upper()} with 12 units")


def test_a_line_per_evaluation_says_how_far_it_is_and_what_is_left(tale, tmp_path):
    _, printed = run_train(tale, tmp_path / "run")
    lines = re.findall(r"^ *\d+%  update [\d,]+: training \d\.\d+, validation \d\.\d+ nats per character; about \d+ s left$", printed, re.MULTILINE)
    assert 5 <= len(lines) <= run.EVALUATIONS
    assert lines[-1].startswith("100%")


def test_the_command_that_the_report_names_gives_the_same_report(tale, tmp_path):
    report, _ = run_train(tale, tmp_path / "one", passes=None, units=6)
    named = re.search(r"<pre>(unrolled train .*?)</pre>", report.read_text(encoding="utf-8"))[1]
    done = CliRunner().invoke(app, [*named.split()[1:], "--to", str(tmp_path / "two")])
    assert done.exit_code == 0, done.output
    one, two = ((tmp_path / name / "report.html").read_text(encoding="utf-8") for name in ("one", "two"))
    assert re.sub(r"Training took [^.]*\.?\d* \w+", "", one) == re.sub(r"Training took [^.]*\.?\d* \w+", "", two)


# --- Stopped and gone on with ------------------------------------------------------------------


def history(folder):
    return torch.load(folder / run.STATE, weights_only=True)["history"]


def test_a_run_that_was_killed_ends_as_one_that_was_not(tale, tmp_path):
    said = ["--units", "12", "--passes", "8"]
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    process = start(tale, "--to", killed, *said)
    wait_for(killed / run.STATE, process)
    time.sleep(0.3)
    process.kill()
    process.communicate()
    (killed / f"{run.STATE}half{run.BESIDE}").write_bytes(b"as it is when the kill comes in the middle of a save")
    before = history(killed)
    assert not (killed / run.REPORT).exists(), "it was finished before it could be killed"
    _, printed = run_train(tale, killed, passes=8.0, resume=True)
    run_train(tale, undisturbed, passes=8.0)
    after, expected = history(killed), history(undisturbed)
    assert "updates are done already" in printed
    assert after["updates"][: len(before["updates"])] == before["updates"]
    assert after["validation"] == pytest.approx(expected["validation"], rel=1e-4)
    assert (after["pieces"], expected["pieces"]) == (2, 1)
    assert sorted(path.name for path in killed.iterdir()) == [run.REPORT, run.SETTINGS, run.STATE]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_polite_kill_save_and_say_how_to_go_on(tale, tmp_path, how):
    process = start(tale, "--to", tmp_path / "run", "--passes", "4000", "--units", "8")
    wait_for(tmp_path / "run" / run.STATE, process)
    process.send_signal(how)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.strip() == "unrolled: stopped. Everything is saved: give the same command with --resume to go on."
    assert torch.load(tmp_path / "run" / run.STATE, weights_only=True)["update"] > 0


def test_ctrl_c_in_the_middle_of_an_update_loses_nothing_of_it(tale, tmp_path, monkeypatch):
    loss = TextTask.loss

    def interrupted(task, update):
        if update == 6:
            signal.raise_signal(signal.SIGINT)
        return loss(task, update)

    monkeypatch.setattr(TextTask, "loss", interrupted)
    with pytest.raises(run.Stopped):
        run_train(tale, tmp_path / "run")
    assert torch.load(tmp_path / "run" / run.STATE, weights_only=True)["update"] == 7


def test_a_second_ctrl_c_does_not_wait_for_the_update(tale, tmp_path, monkeypatch):
    def interrupted(task, update):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it waited")

    monkeypatch.setattr(TextTask, "loss", interrupted)
    with pytest.raises(run.Stopped):
        run_train(tale, tmp_path / "run")


def test_a_finished_run_that_is_resumed_writes_its_report_again(tale, tmp_path):
    report, _ = run_train(tale, tmp_path / "run")
    report.unlink()
    assert run_train(tale, tmp_path / "run", resume=True)[0].exists()


def test_a_run_is_never_overwritten(tale, tmp_path):
    run_train(tale, tmp_path / "run", passes=0.3)
    with pytest.raises(run.RunError, match="There is a run in .* already: go on with it by --resume"):
        run_train(tale, tmp_path / "run", passes=0.3)


def test_a_run_of_another_text_is_not_gone_on_with(tale, tmp_path):
    run_train(tale, tmp_path / "run", passes=0.3)
    tale.write_text(story() + "another end", encoding="utf-8")
    with pytest.raises(run.RunError, match=r"has text \(SHA-256\) .*, but this one would have"):
        run_train(tale, tmp_path / "run", passes=0.3, resume=True)


def test_there_must_be_a_run_to_go_on_with(tale, tmp_path):
    with pytest.raises(run.RunError, match="no run to go on with in .*leave --resume out"):
        run_train(tale, tmp_path / "nowhere", resume=True)
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_state_is_said_in_one_sentence(tale, tmp_path):
    run_train(tale, tmp_path / "run", passes=0.3)
    (tmp_path / "run" / run.STATE).write_bytes(b"no state")
    with pytest.raises(run.RunError, match="is damaged .*: delete it, and the run begins again with --resume"):
        run_train(tale, tmp_path / "run", passes=0.3, resume=True)


def test_a_run_that_was_killed_before_it_saved_anything_begins_again(tale, tmp_path):
    run_train(tale, tmp_path / "run", passes=0.3)
    (tmp_path / "run" / run.STATE).unlink()
    assert run_train(tale, tmp_path / "run", passes=0.3, resume=True)[0].exists()


# --- Said before training ----------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_said_before_training(tale, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(run.RunError, match="The run should be kept in .*can't be written there .*name another folder with --to"):
        run_train(tale, tmp_path / "file" / "run")


def test_a_full_disk_is_said_before_training(tale, tmp_path, monkeypatch):
    monkeypatch.setattr(run.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1_000})())
    with pytest.raises(run.RunError, match=r"needs 4 MB in .*, but its disk has 0.0 MB left: make room there"):
        run_train(tale, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_quota_is_met_before_training(tale, tmp_path):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))  # noqa: E731
    process = start(tale, "--to", tmp_path / "run", preexec_fn=limit)
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert re.fullmatch(r"unrolled: The run should be kept in .*, but \d+ MB can't be written there \(File too large\): name another .*\n", said)
    assert "update" not in printed


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"cell": "transformer"}, "--cell should be rnn, lstm or gru, but it is 'transformer'"),
        ({"kind": "poem"}, "--as should be text or labelled, but it is 'poem'"),
        ({"passes": 0.0}, "--passes should be more than 0"),
        ({"units": 0}, "--units should lie between 1 and 4,096"),
        ({"lr": 2.0}, "--lr should lie between 0 and 1"),
        ({"seed": -1}, "--seed should be a whole number from 0"),
        ({"device": "tpu"}, "--device should be cpu or cuda"),
        ({"label": "stars", "kind": "text"}, "--label is for labelled files"),
    ],
)
def test_an_option_that_makes_no_sense_is_answered_with_one_sentence(tale, tmp_path, said, sentence):
    with pytest.raises(run.RunError, match=sentence):
        run_train(tale, tmp_path / "run", **said)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_said(tale, tmp_path):
    with pytest.raises(run.RunError, match="needs a GPU that torch can use, but torch finds none here"):
        run_train(tale, tmp_path / "run", device="cuda")


def test_a_text_of_a_few_lines_is_too_short(tmp_path):
    (tmp_path / "note.txt").write_text("Buy milk.", encoding="utf-8")
    done = CliRunner().invoke(app, ["train", str(tmp_path / "note.txt"), "--to", str(tmp_path / "run")])
    assert done.exit_code == 2
    assert done.output.strip() == (
        "unrolled: A text should have at least 4,000 characters to learn from, but this one has 9: join several files, or choose a longer one."
    )


def test_the_kind_of_a_file_is_known_by_its_name(tmp_path):
    table = tmp_path / "opinions.csv"
    table.write_text(opinions(), encoding="utf-8")
    run_train(table, tmp_path / "run", passes=0.3)
    assert json.loads((tmp_path / "run" / run.SETTINGS).read_text(encoding="utf-8"))["what"] == "labelled texts"


def test_without_a_folder_named_the_run_lies_in_one_of_the_texts_name(tale, tmp_path):
    options = command.Options(units=6, passes=0.3)
    from rich.console import Console

    report = command.train(tale, options, tmp_path / "trained", Console(file=open(os.devnull, "w", encoding="utf-8")))
    assert report == tmp_path / "trained" / "tale-lstm" / "report.html"

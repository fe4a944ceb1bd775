"""The figures that move, in a real browser: by keyboard alone, said in words, right in what they say, and still there as pictures without the script."""

from __future__ import annotations

import base64
import itertools
import json
import math
import re

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from unrolled import cells

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("formulas_unset")]

FIGURES = {
    "agreement": "index", "unroll": "recurrence/rnn", "radius": "recurrence/gradients", "lstm-parts": "gates/lstm", "gates": "gates/agreement",
    "beam": "tasks/translation",
}  # fmt: skip


class Panel:
    """What a reader sees of one moving figure and does to it, by keyboard."""

    def __init__(self, browser, url, name):
        self.browser = browser
        browser.get(url)
        WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.CSS_SELECTOR, f"figure.try-{name}.is-live"))
        self.root = browser.find_element(By.CSS_SELECTOR, f"figure.try-{name} .try-panel")

    def all(self, selector):
        return self.root.find_elements(By.CSS_SELECTOR, selector)

    @property
    def said(self):
        return self.all(".try-said")[0].text

    def press(self, text, times=1):
        button = next(one for one in self.all("button") if one.text == text)
        for _ in range(times):
            button.send_keys(Keys.ENTER)

    def move(self, key, times=1):
        self.all("input[type='range']")[0].send_keys(*[key] * times)


@pytest.fixture(params=["served", "file"])
def figure(request, browser, built_book, serve):
    """A function: open the page of the figure called so, from a server or from its file."""
    site, _ = built_book
    base = serve(site) if request.param == "served" else site.as_uri()
    return lambda name: Panel(browser, f"{base}/book/{FIGURES[name]}.html", name)


@pytest.fixture(scope="module")
def network(course):
    """A function: text -> gates, cells and next-character probabilities of the stored LSTM, by the package's own cell."""
    script = (course / "book" / "_static" / "lstm-weights.js").read_text(encoding="utf-8")
    stored = json.loads(script[script.index("{") : script.rindex("}") + 1])
    arrays = {
        name: np.frombuffer(base64.b64decode(one["data"]), np.int8).reshape(one["shape"]) * one["scale"] for name, one in stored["arrays"].items()
    }
    alphabet, H = stored["alphabet"], stored["H"]

    def run(text):
        X = np.eye(len(alphabet))[[alphabet.index(character) for character in text]][:, None]  # (T, 1, V)
        states = cells.lstm_forward(X, np.zeros((1, H)), np.zeros((1, H)), arrays["W_x"], arrays["W_h"], arrays["b"][0])
        logits = states[0][:, 0] @ arrays["W_hq"] + arrays["b_q"][0]  # (T, V)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return states, powers / powers.sum(axis=1, keepdims=True)

    run.alphabet, run.unit = alphabet, stored["unit"]
    return run


def are_against_is(network, text):
    last = network(text)[1][-1]
    a, i = (last[network.alphabet.index(character)] for character in "ai")
    return a / (a + i)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_labelled_and_said(figure, name, console_errors):
    panel = figure(name)
    assert len(panel.said) > 30
    drawing = panel.all("svg[role='img']")[0]
    assert drawing.get_attribute("aria-label").replace("\u00a0", " ") == panel.said  # as selenium reads a text
    assert len(drawing.find_elements(By.CSS_SELECTOR, "*")) >= 3
    assert panel.all(".try-said")[0].get_attribute("aria-live") == "polite"
    controls = panel.all("button, select, input")
    assert controls and all(control.accessible_name for control in controls)
    assert console_errors() == []


@pytest.mark.parametrize("name", FIGURES)
def test_without_the_script_the_picture_stands_alone(browser, built_book, name):
    site, _ = built_book
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get((site / "book" / f"{FIGURES[name]}.html").as_uri())
    figure = browser.find_element(By.CSS_SELECTOR, f"figure.try-{name}")
    picture = figure.find_element(By.CSS_SELECTOR, "img")
    assert picture.is_displayed() and picture.size["width"] > 300 and len(picture.get_attribute("alt")) > 60
    assert not figure.find_elements(By.CSS_SELECTOR, ".try-panel")


def test_a_loop_is_unrolled_and_rolled_up_again(figure):
    panel = figure("unroll")
    assert panel.said.startswith("The loop before its first step")
    panel.press("Next step", 7)
    assert panel.said.startswith("Step 7 of 7: reads “e”")
    state = [float(number) for number in re.search(r"h7 is \((.*?)\)", panel.said)[1].split(", ")]
    assert len(state) == 4 and all(-1 < value < 1 for value in state) and any(state)
    assert panel.browser.switch_to.active_element.text == "Back"  # the other button has nothing more to do
    panel.press("Back", 7)
    assert panel.said.startswith("The loop before its first step")


def test_the_spectral_radius_decides_what_a_gradient_does(figure):
    panel = figure("radius")
    assert "Spectral radius 1.00, linear" in panel.said
    panel.move(Keys.ARROW_RIGHT, 6)
    assert "Spectral radius 1.30, linear" in panel.said and "explodes" in panel.said
    assert float(re.search(r"a factor ([\d.]+) a step", panel.said)[1]) == pytest.approx(1.3, abs=0.05)
    panel.move(Keys.HOME)
    assert "Spectral radius 0.30" in panel.said and "vanishes" in panel.said
    panel.move(Keys.ARROW_RIGHT, 20)
    panel.all("select")[0].send_keys("tanh")
    assert "Spectral radius 1.30, tanh" in panel.said
    assert float(re.search(r"a factor ([\d.]+) a step", panel.said)[1]) < 1.25  # slopes below 1 take from it


def test_one_part_of_the_cell_is_lit_at_a_time_and_told_in_the_words_of_the_page(figure):
    panel = figure("lstm-parts")
    told = panel.browser.execute_script("return [...document.querySelectorAll('.lstm-parts li')].map(item => item.textContent.trim())")
    buttons, parts = panel.all("button"), panel.all(".try-part")
    assert len(buttons) == len(parts) == len(told) == 5
    for k, button in enumerate(buttons):
        button.send_keys(Keys.ENTER)
        assert panel.said == told[k] and panel.said.startswith(button.text)
        assert ["is-lit" in part.get_attribute("class") for part in parts] == [part is parts[k] for part in parts]
        assert [one.get_attribute("aria-pressed") for one in buttons] == [str(one is button).lower() for one in buttons]


def test_the_parts_of_the_cell_are_those_of_its_picture(figure, course):
    picture = (course / "book" / "img" / "lstm-cell.svg").read_text(encoding="utf-8")
    drawn = [path.get_attribute("d") for path in figure("lstm-parts").all(".try-part path")]
    assert len(drawn) == len(set(drawn)) and sorted(drawn) == sorted(re.findall(r'<path d="(M[^"z]+)"', picture.split("</defs>")[1]))


def test_without_the_script_the_parts_are_told_in_a_list(browser, built_book):
    site, _ = built_book
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get((site / "book" / "gates" / "lstm.html").as_uri())
    assert all(item.is_displayed() for item in browser.find_elements(By.CSS_SELECTOR, ".lstm-parts li"))


@pytest.mark.parametrize("text", ["the keys near", "a man of these ships "])
def test_the_gates_are_those_of_the_packages_lstm(figure, network, text):
    panel = figure("gates")
    field = panel.all("input[type='text']")[0]
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text)
    assert f"after “{text}”" in panel.said
    states, probabilities = network(text)
    told = float(re.search(r"cell (-?[\d.]+),", panel.said)[1])
    assert told == pytest.approx(states[1][-1, 0, network.unit], abs=0.006)
    guess, share = re.search(r"Most likely next: “(.+?)” (\d+) %", panel.said).groups()
    best = int(np.argmax(probabilities[-1]))
    assert network.alphabet[best] == (" " if guess == "space" else guess)
    assert int(share) == pytest.approx(100 * probabilities[-1, best], abs=0.51)


def test_a_beam_of_two_finds_the_best_sentence_and_greedy_search_does_not(figure):
    P = {
        "<s>": {"the": 0.55, "a": 0.45}, "the": {"cat": 0.4, "dog": 0.35, "sat": 0.25}, "a": {"cat": 0.9, "dog": 0.1},
        "cat": {"sat": 0.8, "</s>": 0.2}, "dog": {"sat": 0.5, "</s>": 0.5}, "sat": {"</s>": 1.0},
    }  # fmt: skip
    sentences = {}
    for length in range(2, 5):
        for words in itertools.product(["the", "a", "cat", "dog", "sat"], repeat=length - 1):
            path = ["<s>", *words, "</s>"]
            sentences[" ".join(path[1:])] = math.prod(P[one].get(two, 0) for one, two in itertools.pairwise(path))
    best = max(sentences, key=sentences.get)
    panel = figure("beam")
    panel.press("Next step", 4)
    assert panel.said.startswith("Done") and f"“{best}”" in panel.said and f"probability {sentences[best]:.3f}" in panel.said
    panel.move(Keys.ARROW_LEFT)
    panel.press("Next step", 4)
    assert panel.said.startswith("Done") and f"“{best}”" not in panel.said


def test_looking_far_enough_back_turns_is_into_are(figure, network):
    panel = figure("agreement")
    assert "says “is”" in panel.said and panel.said.endswith("wrong.")
    panel.press("One word further back", 4)
    share = are_against_is(network, "the keys near the cabinet ")
    assert f"“the keys near the cabinet” and says “are” with {100 * share:.0f} %: right." in panel.said
    panel.press("Start again")
    assert "reads “cabinet”" in panel.said
    panel.all("select")[0].send_keys("the key near the cabinets")
    panel.press("One word further back", 4)
    assert "wrong, though it has read it all" in panel.said


def test_the_still_picture_of_the_first_page_shows_what_the_network_says(network, course):
    shown = re.findall(r">(\d+) %<", (course / "book" / "img" / "index-agreement.svg").read_text(encoding="utf-8"))
    shares = [are_against_is(network, text) for text in ("cabinet ", "the keys near the cabinet ")]
    assert [int(share) for share in shown] == [round(100 * number) for are in shares for number in (1 - are, are)]


def test_in_dark_mode_figures_take_their_dark_variant(browser, built_book):
    site, _ = built_book
    browser.get((site / "book" / "recurrence" / "rnn.html").as_uri())
    browser.execute_script("document.documentElement.dataset.theme = document.documentElement.dataset.mode = 'dark'")
    filters = {image.value_of_css_property("filter") for image in browser.find_elements(By.CSS_SELECTOR, "article img")}
    assert filters == {"invert(0.93) hue-rotate(180deg)"}

// Quizzes in the page: judge an answer, show the feedback it has earned, keep the progress in this browser.
//
// Progress is kept in localStorage, one entry a question:
//   key    unrolled.quiz.v1.<chapter>.<part>.<question id>
//   value  {"answered": how often it was checked, "correct": is the last answer right, "first": was the first,
//           "response": the last answer: [indices of choices], or what was typed}
// Judging mirrors `unrolled.quizzes.grade`. Every text is read from the page, where it has been translated.
(() => {
  "use strict";

  const PREFIX = "unrolled.quiz.v1.";
  const NUMBER = /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/;
  const kept = new Map(); // what this page remembers where the browser stores nothing

  // A record as it was kept, or null if it is not one of ours.
  function understood(record) {
    const whole = record && Number.isInteger(record.answered) && record.answered > 0
      && typeof record.correct === "boolean" && typeof record.first === "boolean"
      && (typeof record.response === "string"
          || (Array.isArray(record.response) && record.response.every(Number.isInteger)));
    return whole ? record : null;
  }

  function load(key) {
    let text = kept.get(key);
    try {
      text = window.localStorage.getItem(key) ?? text;
    } catch { /* storage is switched off */ }
    try {
      return understood(JSON.parse(text));
    } catch {
      return null; // nothing there, or not ours
    }
  }

  // Says whether the browser has kept it, too.
  function save(key, record) {
    kept.set(key, JSON.stringify(record));
    try {
      window.localStorage.setItem(key, JSON.stringify(record));
      return true;
    } catch {
      return false; // storage is switched off or full
    }
  }

  function forget(key) {
    kept.delete(key);
    try {
      window.localStorage.removeItem(key);
    } catch { /* storage is switched off */ }
  }

  const normalise = (text) => text.normalize("NFKC").toLowerCase().trim().replace(/\s+/g, " ");
  const near = (number, { answer, margin }) => Math.abs(number - answer) <= margin;

  // {correct, show: which feedback, incomplete}, or {problem: the name of what to say} when it is no answer at all.
  function grade(key, response) {
    if (key.kind === "one" || key.kind === "many") {
      if (response.length === 0) return { problem: "choose" };
      const good = response.filter((index) => key.right.includes(index)).length;
      const correct = good === response.length && good === key.right.length;
      return { correct, show: response.map(String), incomplete: good === response.length && !correct };
    }
    if (key.kind === "number") {
      if (!NUMBER.test(response.trim()) || !Number.isFinite(Number(response))) return { problem: "number" };
      return typed(near(Number(response), key), key.mistakes.findIndex((mistake) => near(Number(response), mistake)));
    }
    const plain = normalise(response);
    if (plain === "") return { problem: "type" };
    return typed(key.accept.includes(plain), key.mistakes.indexOf(plain));
  }

  function typed(correct, mistake) {
    const wrong = mistake >= 0 ? `mistake-${mistake}` : "wrong";
    return { correct, show: [correct ? "right" : wrong], incomplete: false };
  }

  class Question {
    constructor(form, quiz, fresh) {
      this.form = form;
      this.quiz = quiz;
      this.key = JSON.parse(form.dataset.key);
      this.name = `${PREFIX}${quiz.root.dataset.quiz}.${quiz.root.dataset.part}.${form.dataset.id}`;
      this.controls = [...form.querySelectorAll(".unrolled-choice input, .unrolled-entry input")];
      this.feedback = form.querySelector(".unrolled-feedback");
      this.verdict = form.querySelector(".unrolled-verdict");
      this.items = [...form.querySelectorAll(".unrolled-item")];
      this.record = load(this.name);

      this.clear();
      this.feedback.append(...this.items);
      form.querySelector(".unrolled-answers").remove();
      if (!fresh) this.restore();
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.check();
      });
      form.addEventListener("input", () => this.clear());
    }

    get chooses() {
      return this.key.kind === "one" || this.key.kind === "many";
    }

    get response() {
      if (!this.chooses) return this.controls[0].value;
      return this.controls.flatMap((control, index) => (control.checked ? [index] : []));
    }

    set response(response) {
      if (!this.chooses) this.controls[0].value = typeof response === "string" ? response : "";
      else this.controls.forEach((control, index) => { control.checked = response.includes(index); });
    }

    check() {
      const response = this.response;
      const result = grade(this.key, response);
      this.clear();
      if (result.problem) {
        this.say(result.problem);
        (this.controls.find((control) => control.checked) ?? this.controls[0]).focus();
        return;
      }
      const { answered = 0, first = result.correct } = this.record ?? {};
      this.record = { answered: answered + 1, correct: result.correct, first, response };
      save(this.name, this.record);
      this.show(result);
      this.quiz.count();
      this.form.dispatchEvent(new CustomEvent("unrolled-answered", { bubbles: true }));
    }

    // Puts back what was answered before; a question may have been edited since, so it is judged anew.
    restore() {
      if (!this.record) return;
      this.response = this.record.response;
      const result = grade(this.key, this.response);
      if (result.problem) {
        this.record = null;
        this.response = this.chooses ? [] : "";
        return;
      }
      this.record.correct = result.correct;
      this.show(result);
    }

    show({ correct, show, incomplete }) {
      this.say(correct ? "right" : "wrong");
      this.form.classList.add(correct ? "is-right" : "is-wrong");
      for (const item of this.items) {
        const wanted = item.dataset.for === "reread" ? !correct : show.includes(item.dataset.for);
        item.hidden = !wanted;
      }
      if (incomplete) this.verdict.append(` ${this.quiz.text("incomplete")}`);
    }

    say(name) {
      this.verdict.textContent = this.quiz.text(name);
      this.verdict.hidden = false;
    }

    clear() {
      this.form.classList.remove("is-right", "is-wrong");
      this.verdict.textContent = "";
      this.verdict.hidden = true;
      for (const item of this.items) item.hidden = true;
    }

    reset() {
      forget(this.name);
      this.record = null;
      this.response = this.chooses ? [] : "";
      this.clear();
    }
  }

  class Quiz {
    // fresh: ask without showing what was answered before
    constructor(root, { fresh = false } = {}) {
      this.root = root;
      this.texts = new Map([...root.querySelectorAll("[data-say]")].map((node) => [node.dataset.say, node.textContent]));
      this.progress = root.querySelector(".unrolled-quiz-progress");
      this.questions = [...root.querySelectorAll("form")].map((form) => new Question(form, this, fresh));
      root.querySelector(".unrolled-quiz-reset")?.addEventListener("click", () => {
        for (const question of this.questions) question.reset();
        this.count();
        this.progress.prepend(`${this.text("reset")} `);
      });
      this.count();
      root.classList.add("is-live");
    }

    text(name) {
      return this.texts.get(name);
    }

    count() {
      const records = this.questions.map((question) => question.record).filter(Boolean);
      const numbers = {
        right: records.filter((record) => record.correct).length,
        first: records.filter((record) => record.first).length,
        total: this.questions.length,
      };
      this.progress.textContent = this.text("progress").replace(/\{(\w+)\}/g, (all, name) => numbers[name] ?? all);
    }
  }

  function start() {
    for (const root of document.querySelectorAll(".unrolled-quiz")) new Quiz(root);
  }

  window.unrolledQuiz = Object.freeze({ PREFIX, grade, load, save, forget, understood, Quiz });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

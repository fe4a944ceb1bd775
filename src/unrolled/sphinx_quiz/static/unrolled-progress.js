// The progress page: reads what the quizzes have stored in this browser, asks missed questions again, and saves, loads and
// clears the whole. The file it saves is the one that `unrolled quiz --export` writes:
//   {"version": 1, "questions": {"<chapter>.<part>.<question id>": {answered, correct, first, response}}}
(() => {
  "use strict";

  const { PREFIX, load, save, forget, understood, Quiz } = window.unrolledQuiz;

  class Progress {
    constructor(root) {
      this.root = root;
      this.texts = new Map([...root.querySelectorAll("[data-say]")].map((node) => [node.dataset.say, node.textContent]));
      this.rows = [...root.querySelectorAll("tbody tr")].map((row) => ({
        row, quiz: row.dataset.quiz, button: row.querySelector("button"), ids: JSON.parse(row.dataset.ids),
      }));
      this.total = root.querySelector(".unrolled-progress-total");
      this.said = root.querySelector(".unrolled-progress-said");
      this.asking = root.querySelector(".unrolled-progress-asking");
      this.buttons = Object.fromEntries([...root.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]));
      this.file = root.querySelector("input[type=file]");

      for (const entry of this.rows) entry.button.addEventListener("click", () => this.review([entry]));
      this.buttons.review.addEventListener("click", () => this.review(this.rows));
      this.buttons.close.addEventListener("click", () => this.close());
      this.buttons.export.addEventListener("click", () => this.export());
      this.buttons.clear.addEventListener("click", () => this.clear());
      this.buttons.clear.addEventListener("blur", () => this.unsure());
      this.file.addEventListener("change", () => this.import());
      root.addEventListener("unrolled-answered", () => this.fill());
      this.fill();
      root.classList.add("is-live");
    }

    text(name, numbers = {}) {
      return this.texts.get(name).replace(/\{(\w+)\}/g, (all, key) => numbers[key] ?? all);
    }

    say(name, numbers) {
      this.said.textContent = this.text(name, numbers);
    }

    keys({ quiz, ids }) {
      return Object.entries(ids).flatMap(([part, names]) => names.map((id) => ({ quiz, part, id, key: `${quiz}.${part}.${id}` })));
    }

    missed(entry) {
      return this.keys(entry).filter(({ key }) => load(PREFIX + key)?.correct === false);
    }

    fill() {
      const sum = { answered: 0, first: 0, missed: 0, total: 0 };
      for (const entry of this.rows) {
        const records = this.keys(entry).map(({ key }) => load(PREFIX + key));
        const known = records.filter(Boolean);
        const numbers = {
          answered: known.length,
          first: known.filter((record) => record.first).length,
          missed: known.filter((record) => !record.correct).length,
        };
        for (const cell of entry.row.querySelectorAll("[data-cell]")) {
          const number = numbers[cell.dataset.cell];
          cell.textContent = cell.dataset.cell === "answered" ? this.text("part", { number, total: records.length }) : number;
        }
        entry.row.classList.toggle("is-done", known.length === records.length && numbers.missed === 0);
        entry.button.hidden = numbers.missed === 0;
        for (const name of ["answered", "first", "missed"]) sum[name] += numbers[name];
        sum.total += records.length;
      }
      this.total.textContent = this.text("total", sum);
      this.buttons.review.disabled = sum.missed === 0;
    }

    // Wakes copies of the questions that were answered wrong last, without the old answer.
    review(entries) {
      const missed = entries.flatMap((entry) => this.missed(entry));
      this.asking.replaceChildren();
      for (const template of this.root.querySelectorAll("template")) {
        const ids = missed.filter(({ quiz, part }) => quiz === template.dataset.quiz && part === template.dataset.part).map(({ id }) => id);
        if (ids.length === 0) continue;
        const quiz = template.content.cloneNode(true).querySelector(".unrolled-quiz");
        for (const form of quiz.querySelectorAll("form")) if (!ids.includes(form.dataset.id)) form.remove();
        const title = quiz.querySelector(".unrolled-quiz-title");
        const chapter = this.rows.find((entry) => entry.quiz === template.dataset.quiz).row.querySelector("th").cloneNode(true);
        title.replaceChildren(...chapter.childNodes);
        quiz.querySelector(".unrolled-quiz-reset").remove();
        this.asking.append(quiz);
        new Quiz(quiz, { fresh: true });
      }
      this.buttons.close.hidden = missed.length === 0;
      this.say(missed.length ? "asking" : "none", { missed: missed.length });
      window.MathJax?.typesetPromise?.([this.asking]);
      if (missed.length) this.asking.querySelector("input").focus();
    }

    close() {
      this.asking.replaceChildren();
      this.buttons.close.hidden = true;
      this.said.textContent = "";
      this.buttons.review.focus();
    }

    export() {
      const questions = {};
      for (const { key } of this.rows.flatMap((entry) => this.keys(entry))) {
        const record = load(PREFIX + key);
        if (record) questions[key] = record;
      }
      const text = JSON.stringify({ version: 1, questions }, null, 1);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      link.download = "unrolled-quizzes.json";
      link.click();
      URL.revokeObjectURL(link.href);
    }

    async import() {
      const [file] = this.file.files;
      if (!file) return;
      const questions = await file.text().then(questionsOf, () => null);
      this.file.value = "";
      if (!questions) {
        this.say("not-ours");
        return;
      }
      const known = new Set(this.rows.flatMap((entry) => this.keys(entry)).map(({ key }) => key));
      const ours = Object.entries(questions).filter(([key]) => known.has(key));
      const kept = ours.filter(([key, record]) => save(PREFIX + key, record)).length;
      this.fill();
      this.say(kept === ours.length ? "imported" : "not-kept", { count: kept });
    }

    clear() {
      const button = this.buttons.clear;
      if (!button.classList.contains("is-sure")) {
        button.classList.add("is-sure");
        button.dataset.calm = button.textContent;
        button.textContent = button.dataset.sure;
        this.say("sure");
        return;
      }
      this.unsure();
      for (const { key } of this.rows.flatMap((entry) => this.keys(entry))) forget(PREFIX + key);
      this.asking.replaceChildren();
      this.buttons.close.hidden = true;
      this.fill();
      this.say("cleared");
    }

    unsure() {
      const button = this.buttons.clear;
      if (!button.classList.contains("is-sure")) return;
      button.classList.remove("is-sure");
      button.textContent = button.dataset.calm;
    }
  }

  // The questions of a saved file, or null if it is none of ours. Nothing of a bad file is taken.
  function questionsOf(text) {
    try {
      const { version, questions } = JSON.parse(text);
      const whole = version === 1 && Object.values(questions).every(understood);
      return whole ? questions : null;
    } catch {
      return null;
    }
  }

  const start = () => document.querySelectorAll(".unrolled-progress").forEach((root) => new Progress(root));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

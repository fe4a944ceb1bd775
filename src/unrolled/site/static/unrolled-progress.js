// The progress page: counts what the log of this browser holds, asks missed questions again, and saves, loads and clears the whole. The
// file it saves has the form that `unrolled quiz --export` writes; `unrolled.answers` in the package describes it.
(() => {
  "use strict";

  const { log, read, write } = window.unrolledAnswers;
  const { formerNames, Quiz } = window.unrolledQuiz;

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
      this.names = new Map([...root.querySelectorAll("template")].flatMap((template) => formerNames(template.content)));
      log.migrate(this.names);
      log.onChange(() => this.fill());
      this.fill();
      if (log.aside) this.say("damaged", { count: log.aside });
      root.classList.add("is-live");
    }

    text(name, numbers = {}) {
      return this.texts.get(name).replace(/\{(\w+)\}/g, (all, key) => numbers[key] ?? all);
    }

    say(name, numbers) {
      this.said.textContent = this.text(name, numbers);
    }

    fill() {
      const standings = log.standings();
      const sum = { answered: 0, first: 0, missed: 0, total: 0 };
      for (const entry of this.rows) {
        const known = entry.ids.map((id) => standings.get(id)).filter(Boolean);
        const numbers = {
          answered: known.length,
          first: known.filter(({ first }) => first).length,
          missed: known.filter(({ right }) => !right).length,
        };
        for (const cell of entry.row.querySelectorAll("[data-cell]")) {
          const number = numbers[cell.dataset.cell];
          cell.textContent = cell.dataset.cell === "answered" ? this.text("part", { number, total: entry.ids.length }) : number;
        }
        entry.row.classList.toggle("is-done", known.length === entry.ids.length && numbers.missed === 0);
        entry.button.hidden = numbers.missed === 0;
        for (const name of ["answered", "first", "missed"]) sum[name] += numbers[name];
        sum.total += entry.ids.length;
      }
      this.total.textContent = this.text("total", sum);
      this.buttons.review.disabled = sum.missed === 0;
    }

    // Wakes copies of the questions that were answered wrong last, without the old answer.
    review(entries) {
      const standings = log.standings();
      const missed = new Set(entries.flatMap(({ ids }) => ids.filter((id) => standings.get(id)?.right === false)));
      this.asking.replaceChildren();
      for (const template of this.root.querySelectorAll("template")) {
        const quiz = template.content.cloneNode(true).querySelector(".unrolled-quiz");
        for (const form of quiz.querySelectorAll("form")) if (!missed.has(form.dataset.id)) form.remove();
        if (!quiz.querySelector("form")) continue;
        const title = quiz.querySelector(".unrolled-quiz-title");
        const chapter = this.rows.find((entry) => entry.quiz === template.dataset.quiz).row.querySelector("th").cloneNode(true);
        title.replaceChildren(...chapter.childNodes);
        quiz.querySelector(".unrolled-quiz-reset").remove();
        this.asking.append(quiz);
        new Quiz(quiz, { fresh: true });
      }
      this.buttons.close.hidden = missed.size === 0;
      this.say(missed.size ? "asking" : "none", { missed: missed.size });
      window.MathJax?.typesetPromise?.([this.asking]);
      if (missed.size) this.asking.querySelector("input").focus();
    }

    close() {
      this.asking.replaceChildren();
      this.buttons.close.hidden = true;
      this.said.textContent = "";
      this.buttons.review.focus();
    }

    export() {
      const text = write(log.events());
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      link.download = "unrolled-quizzes.json";
      link.click();
      URL.revokeObjectURL(link.href);
    }

    async import() {
      const [file] = this.file.files;
      if (!file) return;
      const { log: answers, strangers, problem } = await file.text().then((text) => read(text, this.names));
      this.file.value = "";
      if (problem) {
        this.say(problem);
        return;
      }
      const before = log.events().length;
      const kept = log.add(answers);
      const numbers = { count: answers.length, new: log.events().length - before, strangers };
      if (!kept) this.say("not-kept");
      else this.say(strangers ? "imported-some" : "imported", numbers);
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
      log.clear();
      this.asking.replaceChildren();
      this.buttons.close.hidden = true;
      this.say("cleared");
    }

    unsure() {
      const button = this.buttons.clear;
      if (!button.classList.contains("is-sure")) return;
      button.classList.remove("is-sure");
      button.textContent = button.dataset.calm;
    }
  }

  const start = () => document.querySelectorAll(".unrolled-progress").forEach((root) => new Progress(root));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

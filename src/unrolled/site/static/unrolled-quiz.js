// Quizzes in the page: judge an answer, show the feedback it has earned, add it to the log that this browser keeps.
//
// Judging mirrors `unrolled.quizzes.grade`. Every text is read from the page, where it has been translated.
(() => {
  "use strict";

  const { log } = window.unrolledAnswers;
  const NUMBER = /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/;

  const normalise = (text) => text.normalize("NFKC").toLowerCase().trim().replace(/\s+/g, " ");
  const near = (number, { answer, margin }) => Math.abs(number - answer) <= margin;

  // The response is a list of ids of choices, or what was typed. Gives {correct, show: which feedback, incomplete}, or
  // {problem: the name of what to say} when it is no answer at all.
  function grade(key, response) {
    if (key.kind === "one" || key.kind === "many") {
      if (typeof response === "string" || response.length === 0) return { problem: "choose" };
      if (!response.every((id) => key.choices.includes(id))) return { problem: "choose" }; // a choice that is gone
      const good = response.filter((id) => key.right.includes(id)).length;
      const correct = good === response.length && good === key.right.length;
      return { correct, show: response, incomplete: good === response.length && !correct };
    }
    if (typeof response !== "string") return { problem: "type" };
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
      this.fresh = fresh;
      this.key = JSON.parse(form.dataset.key);
      this.id = form.dataset.id;
      this.controls = [...form.querySelectorAll(".unrolled-choice input, .unrolled-entry input")];
      this.feedback = form.querySelector(".unrolled-feedback");
      this.verdict = form.querySelector(".unrolled-verdict");
      this.items = [...form.querySelectorAll(".unrolled-item")];
      this.touched = false; // whether the learner is at it
      this.shown = undefined; // the answer that is shown, as JSON; null for none, undefined before it is known

      this.clear();
      this.feedback.append(...this.items);
      form.querySelector(".unrolled-answers").remove();
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.check();
      });
      form.addEventListener("input", () => {
        this.clear();
        this.touched = true;
      });
    }

    get chooses() {
      return this.key.kind === "one" || this.key.kind === "many";
    }

    get response() {
      if (!this.chooses) return this.controls[0].value;
      return this.controls.filter((control) => control.checked).map((control) => control.value);
    }

    set response(response) {
      if (!this.chooses) this.controls[0].value = typeof response === "string" ? response : "";
      else for (const control of this.controls) control.checked = response.includes(control.value);
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
      this.touched = false;
      this.shown = JSON.stringify(response);
      this.show(result);
      this.quiz.kept(log.answer(this.id, response, result.correct));
    }

    // Shows the last answer, also one that another tab has given meanwhile, unless the learner is at the question. It may have been
    // edited since it was answered, so the answer is judged anew.
    refresh(standing) {
      if (this.fresh || this.touched) return;
      const answer = standing ? JSON.stringify(standing.answer) : null;
      if (answer === this.shown) return;
      this.shown = answer;
      this.clear();
      this.response = this.chooses ? [] : "";
      if (!standing) return;
      const result = grade(this.key, standing.answer);
      if (result.problem) return;
      this.response = standing.answer;
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
  }

  class Quiz {
    // fresh: ask without showing what was answered before
    constructor(root, { fresh = false } = {}) {
      this.root = root;
      this.texts = new Map([...root.querySelectorAll("[data-say]")].map((node) => [node.dataset.say, node.textContent]));
      this.progress = root.querySelector(".unrolled-quiz-progress");
      this.questions = [...root.querySelectorAll("form")].map((form) => new Question(form, this, fresh));
      root.querySelector(".unrolled-quiz-reset")?.addEventListener("click", () => {
        for (const question of this.questions) Object.assign(question, { touched: false, shown: undefined });
        const standings = log.standings();
        this.kept(log.reset(this.questions.map(({ id }) => id).filter((id) => standings.has(id))));
        this.progress.prepend(`${this.text("reset")} `);
      });
      log.onChange(() => this.refresh());
      this.refresh();
      root.classList.add("is-live");
    }

    text(name) {
      return this.texts.get(name);
    }

    refresh() {
      const standings = log.standings();
      for (const question of this.questions) question.refresh(standings.get(question.id));
      const known = this.questions.map(({ id }) => standings.get(id)).filter(Boolean);
      const numbers = {
        right: known.filter(({ right }) => right).length,
        first: known.filter(({ first }) => first).length,
        total: this.questions.length,
      };
      this.progress.textContent = this.text("progress").replace(/\{(\w+)\}/g, (all, name) => numbers[name] ?? all);
      if (log.damaged) this.progress.append(` ${this.text("damaged")}`);
    }

    // Says so where the browser has not kept what was done.
    kept(kept) {
      if (!kept) this.progress.append(` ${this.text("not-kept")}`);
    }
  }

  // What version 1 kept of the questions in a part of a page: [[its key, the question], …].
  function formerNames(root) {
    return [...root.querySelectorAll("form[data-was]")].map(({ dataset }) => [dataset.was, dataset.id]);
  }

  function start() {
    log.migrate(formerNames(document));
    for (const root of document.querySelectorAll(".unrolled-quiz")) new Quiz(root);
  }

  window.unrolledQuiz = Object.freeze({ grade, formerNames, Quiz });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

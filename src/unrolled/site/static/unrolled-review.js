// The page Review: asks what is due, one question after another, for five minutes; and the count of what is due on the title page.
(() => {
  "use strict";

  const { log } = window.unrolledAnswers;
  const { schedule, isDue, dueNow, DAY } = window.unrolledSchedule;
  const MINUTES = 5;

  function filled(text, numbers) {
    return text.replace(/\{(\w+)\}/g, (all, key) => numbers[key] ?? all);
  }

  // How many questions stand where, for a sentence.
  function counts(ids) {
    const now = Date.now();
    const wanted = new Set(ids);
    const met = [...schedule(log.events()).values()].filter(({ question }) => wanted.has(question));
    const due = met.filter((one) => isDue(one, now)).length;
    const within = (days) => met.filter((one) => isDue(one, now + days * DAY)).length - due;
    return { due, tomorrow: within(1), week: within(7), met: met.length, total: ids.length };
  }

  class Review {
    constructor(root) {
      this.root = root;
      this.texts = new Map([...root.querySelectorAll("[data-say]")].map((node) => [node.dataset.say, node.textContent]));
      this.ids = JSON.parse(root.dataset.ids);
      this.stand = root.querySelector(".unrolled-review-stand");
      this.said = root.querySelector(".unrolled-progress-said");
      this.asking = root.querySelector(".unrolled-progress-asking");
      this.buttons = Object.fromEntries([...root.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]));
      this.buttons.start.addEventListener("click", () => this.start());
      this.buttons.next.addEventListener("click", () => this.next());
      this.buttons.stop.addEventListener("click", () => this.stop("stopped"));
      this.waiting = [];
      this.end = Infinity;
      log.migrate(window.unrolledQuiz.formerNames(root));
      log.onChange(() => this.fill());
      this.fill();
      this.show({ start: true });
      root.classList.add("is-live");
    }

    say(name, numbers = {}) {
      this.said.textContent = name ? filled(this.texts.get(name), numbers) : "";
    }

    fill() {
      const numbers = counts(this.ids);
      this.stand.textContent = filled(this.texts.get(numbers.met ? "stand" : "unmet"), numbers);
      this.buttons.start.disabled = numbers.due === 0;
    }

    // Which buttons are there to press.
    show(wanted) {
      for (const [name, button] of Object.entries(this.buttons)) button.hidden = !wanted[name];
    }

    start() {
      this.waiting = dueNow(log.events(), Date.now(), this.ids).map(({ question }) => question);
      this.end = Date.now() + MINUTES * 60000;
      this.next();
    }

    next() {
      if (this.waiting.length === 0) {
        this.stop("done");
        return;
      }
      if (Date.now() >= this.end) {
        this.end = Infinity; // who goes on is not asked again
        this.asking.replaceChildren();
        this.say("over", { left: this.waiting.length });
        this.buttons.next.focus();
        return;
      }
      this.ask(this.waiting.shift());
      this.show({ next: true, stop: true });
      this.say("left", { left: this.waiting.length });
    }

    // Wakes a copy of a question, without the old answer.
    ask(question) {
      for (const template of this.root.querySelectorAll("template")) {
        const quiz = template.content.cloneNode(true).querySelector(".unrolled-quiz");
        for (const form of quiz.querySelectorAll("form")) if (form.dataset.id !== question) form.remove();
        if (!quiz.querySelector("form")) continue;
        const chapter = this.root.querySelector(`[data-chapter="${template.dataset.quiz}"]`).cloneNode(true);
        quiz.querySelector(".unrolled-quiz-title").replaceChildren(...chapter.childNodes);
        quiz.querySelector(".unrolled-quiz-foot").hidden = true;
        quiz.querySelector(".unrolled-quiz-reset").remove();
        this.asking.replaceChildren(quiz);
        new window.unrolledQuiz.Quiz(quiz, { fresh: true });
      }
      window.MathJax?.typesetPromise?.([this.asking]);
      this.asking.querySelector("input").focus();
    }

    stop(why) {
      this.asking.replaceChildren();
      this.show({ start: true });
      this.say(why);
      if (!this.buttons.start.disabled) this.buttons.start.focus();
      else this.said.focus();
    }
  }

  // A sentence on the title page, shown where something is due.
  function count(root) {
    const texts = [...root.querySelectorAll("[data-text]")];
    const ids = JSON.parse(root.dataset.ids);
    const fill = () => {
      const numbers = counts(ids);
      root.hidden = numbers.due === 0;
      for (const node of texts) {
        node.dataset.text ||= node.textContent;
        node.textContent = filled(node.dataset.text, numbers);
      }
    };
    log.onChange(fill);
    fill();
  }

  const start = () => {
    document.querySelectorAll(".unrolled-review").forEach((root) => new Review(root));
    document.querySelectorAll(".unrolled-due").forEach(count);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

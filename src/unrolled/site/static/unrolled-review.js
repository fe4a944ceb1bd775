// The page Review: asks what is due, one question after another, for five minutes; and the count of what is due on the title page.
//
// Beside the questions of the quizzes there are those about known mistakes that a check of the learner's has named. The package's
// `unrolled.yours.review_page` writes them: scripts, of which those that the log asks for are loaded.
(() => {
  "use strict";

  const { log } = window.unrolledAnswers;
  const { schedule, isDue, dueNow, DAY } = window.unrolledSchedule;
  const MINUTES = 5;
  const MISTAKES = new URL("unrolled-mistakes/", document.currentScript.src);
  window.unrolledMistakes = { index: {}, tasks: {} };

  function filled(text, numbers) {
    return text.replace(/\{(\w+)\}/g, (all, key) => numbers[key] ?? all);
  }

  // Loads a script of questions, once; what is not there leaves the tables as they are.
  const loading = new Map();
  function load(name) {
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve) => {
        const script = document.createElement("script");
        script.src = new URL(`${name}.js`, MISTAKES).href;
        script.addEventListener("load", resolve);
        script.addEventListener("error", resolve);
        document.head.append(script);
      }));
    }
    return loading.get(name);
  }

  // The ids of the questions about mistakes that the log knows of and the course still asks: "mistake TASK NAME".
  function mistakes() {
    const met = new Set(log.events().map(({ question }) => question).filter((question) => question.startsWith("mistake ")));
    if (met.size && !loading.has("index")) load("index").then(() => log.changed());
    return [...met].filter((question) => {
      const [, task, name] = question.split(" ");
      return window.unrolledMistakes.index[task]?.includes(name);
    });
  }

  // How many questions stand where, for a sentence.
  function counts(questions) {
    const now = Date.now();
    const ids = [...questions, ...mistakes()];
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
      this.waiting = dueNow(log.events(), Date.now(), [...this.ids, ...mistakes()]).map(({ question }) => question);
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
      const question = this.waiting.shift();
      if (question.startsWith("mistake ")) void this.askMistake(question);
      else this.ask(question);
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
        this.put(quiz, chapter.childNodes);
      }
    }

    put(quiz, title) {
      quiz.querySelector(".unrolled-quiz-title").replaceChildren(...title);
      quiz.querySelector(".unrolled-quiz-foot").hidden = true;
      quiz.querySelector(".unrolled-quiz-reset").remove();
      this.asking.replaceChildren(quiz);
      new window.unrolledQuiz.Quiz(quiz, { fresh: true });
      window.MathJax?.typesetPromise?.([this.asking]);
      this.asking.querySelector("input").focus();
    }

    // Asks about a mistake: a question of the page gives the form and its words, the script of the task what they are filled with.
    async askMistake(question) {
      const [, task, name] = question.split(" ");
      await load(task);
      const { texts, questions } = window.unrolledMistakes.tasks[task] ?? {};
      if (!questions?.[name]) {
        this.next(); // the script is missing or of another version than the index
        return;
      }
      const quiz = pattern(this.root);
      fill(quiz.querySelector("form"), question, questions[name], texts);
      this.put(quiz, [filled(this.texts.get("own"), { task })]);
    }

    stop(why) {
      this.asking.replaceChildren();
      this.show({ start: true });
      this.say(why);
      if (!this.buttons.start.disabled) this.buttons.start.focus();
      else this.said.focus();
    }
  }

  // A copy of a quiz of the page with one question in which one choice is right.
  function pattern(root) {
    const quizzes = [...root.querySelectorAll("template")].map((template) => template.content.querySelector(".unrolled-quiz"));
    const forms = quizzes.flatMap((quiz) => [...quiz.querySelectorAll('form[data-kind="one"]')]);
    const chosen = forms.find((form) => form.querySelector('[data-for="reread"]')) ?? forms[0];
    const quiz = chosen.closest(".unrolled-quiz").cloneNode(true);
    for (const form of quiz.querySelectorAll("form")) if (form.dataset.id !== chosen.dataset.id) form.remove();
    return quiz;
  }

  // A text of the course as HTML, in an element.
  function put(element, text) {
    element.innerHTML = text;
    return element;
  }

  // Gives a form the prompt, the choices and the reasons of another question, which has their numbers among the texts.
  function fill(form, question, { legend, prompt, choices, key, reread }, texts) {
    form.id = `quiz-${question.replaceAll(" ", "-")}`;
    form.dataset.id = question;
    form.dataset.key = JSON.stringify(key);
    delete form.dataset.was;
    const head = put(form.querySelector("legend"), texts[legend]);
    form.querySelector(".unrolled-prompt")?.remove();
    head.after(put(Object.assign(document.createElement("div"), { className: "unrolled-prompt" }), texts[prompt]));
    const entry = form.querySelector(".unrolled-choice");
    form.querySelector(".unrolled-choices").replaceChildren(...choices.map(({ id, text }) => {
      const choice = entry.cloneNode(true);
      const control = `${form.id}-${id}`;
      Object.assign(choice.querySelector("input"), { id: control, name: form.id, value: id });
      put(Object.assign(choice.querySelector("label"), { htmlFor: control }), texts[text]);
      return choice;
    }));
    const items = { true: form.querySelector(".unrolled-item.is-right"), false: form.querySelector(".unrolled-item.is-wrong") };
    const link = form.querySelector('[data-for="reread"]');
    for (const item of form.querySelectorAll(".unrolled-item")) item.remove();
    const answers = form.querySelector(".unrolled-answers");
    for (const { id, text, right, feedback } of choices) {
      const item = items[right].cloneNode(true);
      item.dataset.for = id;
      const [title] = item.children;
      put(title.lastElementChild, texts[text]);
      put(item, texts[feedback]).prepend(title);
      answers.append(item);
    }
    const anchor = link?.querySelector("a");
    if (!anchor) return;
    anchor.href = new URL(reread.href, new URL(document.documentElement.dataset.content_root || "./", document.baseURI)).href;
    anchor.textContent = reread.title;
    answers.append(link);
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

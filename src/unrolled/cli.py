"""The command `unrolled`: start an assignment, take a quiz, grade a class, record references."""

from __future__ import annotations

import contextlib
import gettext as library
import os
import shlex
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.core

from . import __version__, language, quizzes, terminal
from .course import course_folder, meant, start_assignment, work_folder
from .language import gettext, listed, ngettext, texts

LEARNERS, INSTRUCTORS = texts(("For learners", "For instructors"))
NEEDS = texts("This needs {name}: `python -m pip install {name}` brings it.")
STOPPED = texts("unrolled: stopped. What was trained is saved: give the same command with --resume to go on.")
# What the library of commands says by itself: it looks that up in the same catalogue.
LIBRARY = texts((
    "Options", "Arguments", "Commands", "Error", "Aborted.", "Aborted!", "[default: {}]", "[required]", "[env var: {}]", "default: {default}", "required",
    "Try [blue]'{command_path} {help_option}'[/] for help.", "Missing command.", "No such command {name!r}.",
))  # fmt: skip
# And what it says in English alone, when a command is used wrongly: that is found by its form.
USAGE_ERRORS = texts((
    "Missing argument {name}.", "Missing option {name}.", "No such option: {name} (Possible options: {names})", "No such option: {name}",
    "Got unexpected extra argument(s) ({arguments})", "Option {name} requires an argument.", "Option {name} requires {count} arguments.",
    "Option {name} does not take a value.", "Invalid value for {name}: {problem}", "{problem}. Did you mean {names}?",
    "Input should be a valid integer, unable to parse string as an integer", "Input should be a valid number, unable to parse string as a number",
    "Input should be greater than or equal to {least}",
))  # fmt: skip
USAGE, OPTIONS, COMMAND = texts(("Usage: ", "[OPTIONS]", "COMMAND [ARGS]..."))


class Spoken(typer.core.TyperGroup):
    """Commands that speak the language in which the course speaks, also when they are used wrongly."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        with spoken_errors():
            return super().make_context(*args, **options)

    def invoke(self, *args: Any, **options: Any) -> Any:
        with spoken_errors():
            return super().invoke(*args, **options)


@contextlib.contextmanager
def spoken_errors() -> Iterator[None]:
    """Gives an error of usage its sentence in the language that is spoken now."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):  # of the library's own errors, which have no public name
            said = language.again(error.format_message(), USAGE_ERRORS)
            error.format_message = lambda: said
        raise


app = typer.Typer(
    cls=Spoken,
    help="The command line of the course Unrolled: sequence models from scratch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _stop(message: object) -> NoReturn:
    typer.echo(f"unrolled: {message}", err=True)
    raise typer.Exit(2)


def _missing(error: ModuleNotFoundError) -> NoReturn:
    _stop(gettext(NEEDS).format(name=error.name))


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
    language: Annotated[str | None, typer.Option("--language", help="Speak this language, such as zh_CN; by default $UNROLLED_LANGUAGE, else that of the system.")] = None,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit()


@app.command(rich_help_panel=LEARNERS)
def start(
    name: Annotated[str, typer.Argument(help="The assignment, such as 02-rnn-forward.")],
    language: Annotated[str | None, typer.Option("--language", help="The language of the notebook, such as zh_CN; by default the one that is spoken.")] = None,
) -> None:
    """Put your own copy of an assignment into work/."""
    try:
        started = start_assignment(name, course_folder(), language)
    except (ValueError, OSError) as error:
        _stop(error)
    typer.echo(gettext("Your copy is {file}.").format(file=started.notebook))
    # Jupyter's root is the course's folder, so that the notebook's links to the book lie inside it.
    command = f"jupyter lab --notebook-dir={shlex.quote(str(started.root))} {shlex.quote(str(started.notebook))}"
    typer.echo(gettext("Open it with:  {command}").format(command=command))
    if started.links == "built":
        typer.echo(gettext("A click on a link to the book opens the page beside the notebook; with Ctrl, in a tab of the browser, at its section."))
    if started.links == "unbuilt":
        typer.echo(gettext("Its links lead to the book's pages: `make book` makes them."))


@app.command("submit-check", rich_help_panel=LEARNERS)
def submit_check(
    file: Annotated[Path, typer.Argument(help="Your notebook, such as work/02-rnn-forward/02-rnn-forward.ipynb, or its folder.")],
) -> None:
    """Grade your own notebook as the grader would, with the public cases, and say what in it costs marks."""
    try:
        from rich.console import Console

        from .grading import sandbox
        from .grading import submit_check as own
    except ModuleNotFoundError as error:
        if error.name == "resource":
            _stop(gettext("submit-check needs Linux or macOS (on Windows, WSL 2). `check()` judges by the same cases everywhere."))
        _missing(error)
    try:
        own.tell(own.forecast(file, course_folder()), Console())
    except (own.NoAssignment, sandbox.SandboxError, OSError, ValueError) as error:
        _stop(error)


@app.command(rich_help_panel=LEARNERS)
def train(
    file: Annotated[Path, typer.Argument(metavar="TEXT", help="Your text; or labelled texts: CSV, TSV, JSON lines, or a folder for each class.")],
    cell: Annotated[str, typer.Option(help="rnn, lstm or gru.")] = "lstm",
    units: Annotated[int | None, typer.Option(help="Hidden units: 128 for a text, 64 in each direction for labelled texts.")] = None,
    passes: Annotated[float | None, typer.Option(help="How often the text is read; by default as often as a few minutes allow.")] = None,
    lr: Annotated[float, typer.Option("--lr", help="The learning rate at the beginning; it falls to 0.")] = 4e-3,
    seed: Annotated[int, typer.Option(help="Of weights, batches and samples.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    to: Annotated[Path | None, typer.Option(help="The folder of the run; by default work/trained/TEXT-CELL.")] = None,
    kind: Annotated[str | None, typer.Option("--as", help="text or labelled; by default the file's name decides.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file, such as utf-8 or cp1252; by default it is found.")] = None,
    label: Annotated[str | None, typer.Option(help="The column of the labels; by default it is guessed.")] = None,
    text_column: Annotated[list[str] | None, typer.Option(help="A column of the text; may be given several times.")] = None,
    group: Annotated[str | None, typer.Option(help="A column whose groups no split may tear apart, such as the author.")] = None,
) -> None:
    """Train a network on your own text or labelled texts, beside counting models, and write a report of one HTML file. Stopped at any point,
    it goes on with --resume."""
    try:
        from rich.console import Console

        from .owndata import command, run
    except ModuleNotFoundError as error:
        _stop(gettext("Training on your own text needs {name}: `python -m pip install 'unrolled[reference]'` brings it.").format(name=error.name))
    options = command.Options(
        cell=cell.lower(), units=units, passes=passes, lr=lr, seed=seed, device=device, resume=resume, to=to, kind=kind, encoding=encoding, label=label,
        text=tuple(text_column or ()), group=group,
    )  # fmt: skip
    try:
        written = command.train(file, options, work_folder() / "trained", Console())
    except run.Stopped:
        typer.echo(gettext("unrolled: stopped. Everything is saved: give the same command with --resume to go on."), err=True)
        raise typer.Exit(130) from None
    except KeyboardInterrupt:
        typer.echo(gettext(STOPPED), err=True)
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        _stop(error)
    typer.echo(gettext("The report is {file}: open it in any browser.").format(file=written))


@app.command(rich_help_panel=LEARNERS)
def quiz(
    name: Annotated[str | None, typer.Argument(help="The chapter, such as rnn; without one, the chapters are listed.")] = None,
    part: Annotated[str | None, typer.Option(help="Only `before` or `after`.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="Ask again only what was answered wrong last.")] = False,
    progress: Annotated[bool, typer.Option("--progress", help="Show what is answered, chapter by chapter.")] = False,
    export: Annotated[Path | None, typer.Option("--export", help="Write all answers to this file.")] = None,
    import_: Annotated[Path | None, typer.Option("--import", help="Add the answers of such a file.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget every answer, after asking.")] = False,
) -> None:
    """Ask the quiz of a chapter, with feedback on every answer; or look after what you have answered."""
    from rich.console import Console

    from . import quiz_terminal

    try:
        folder = course_folder() / "book" / "quizzes"
        name = name and meant(name, quizzes.names(folder))
        if progress:
            quiz_terminal.show_progress(folder, Console())
        elif export:
            from .yours import mistakes

            mistakes.keep(quiz_terminal.Progress.load(folder, Console()))
            count = quiz_terminal.export_progress(export, folder, Console())
            typer.echo(ngettext("{count} answers are in {file}.", "{count} answers are in {file}.", count).format(count=count, file=export))
        elif import_:
            count, new = quiz_terminal.import_progress(import_, folder, Console())
            typer.echo(gettext("Loaded: {count} answers, {new} of them new.").format(count=count, new=new))
        elif clear:
            typer.confirm(gettext("This forgets every answer kept here. Do it?"), abort=True)
            from .checks import met

            quiz_terminal.clear_progress()
            met.forget()
            typer.echo(gettext("Everything is cleared."))
        elif missed:
            quiz_terminal.review(name, folder, Console())
        elif name is None:
            typer.echo(gettext("The quizzes are: {names}").format(names=listed(quizzes.names(folder))))
        else:
            quiz_terminal.run_quiz(name, part, folder, Console())
    except (ValueError, OSError) as error:
        _stop(error)


@app.command(rich_help_panel=LEARNERS)
def review(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to ask at most.")] = 5.0,
    due: Annotated[bool, typer.Option("--due", help="Only say how many questions are due.")] = False,
) -> None:
    """Ask the quiz questions that are due today: those that you missed and those that you may soon forget."""
    from datetime import UTC, datetime

    from rich.console import Console

    try:
        from . import quiz_terminal
        from .yours import review as own

        folder, console = course_folder() / "book" / "quizzes", Console()
        if due:
            progress = quiz_terminal.Progress.load(folder, console)
            own.mistakes.keep(progress)
            known = [question.id for one in quizzes.find_all(folder) for question in one.before + one.after] + [*own.mistakes.questions(progress.log)]
            today, week, met = own.counts(progress.log, known, datetime.now(UTC))
            text = gettext("{today} questions are due, {week} more in the next seven days; {met} of {all} were met.")
            typer.echo(text.format(today=today, week=week, met=met, all=len(known)))
        else:
            own.run(folder, console, minutes)
    except ModuleNotFoundError as error:
        _missing(error)
    except (ValueError, OSError) as error:
        _stop(error)


@app.command(rich_help_panel=LEARNERS)
def package(
    files: Annotated[list[Path] | None, typer.Argument(help="Notebooks that lie elsewhere, such as one downloaded from the page.")] = None,
) -> None:
    """Make a package of your own, work/mine/, of the functions in your notebooks that pass their checks."""
    from rich.console import Console

    from .yours import package as own

    console = Console()
    try:
        with console.status(gettext("reading")) as status:
            found = own.pack(work_folder(), files or (), lambda task: status.update(gettext("checking {task}").format(task=task)))
    except (own.PackageError, OSError) as error:
        _stop(error)
    own.describe(found, console)


@app.command(rich_help_panel=LEARNERS)
def milestone(
    name: Annotated[str | None, typer.Argument(help="Which, such as elman1990; without one, they are listed.")] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="Where to write the picture; by default work/milestones/NAME.png.")] = None,
) -> None:
    """Run a piece of history on your own functions, those of work/mine/, in at most two minutes; it draws one picture."""
    from rich.console import Console

    from .yours import milestones, milestones_terminal

    console, work = Console(), work_folder()
    try:
        if name is None:
            milestones_terminal.list_all(work, console)
        else:
            milestones_terminal.run_one(meant(name, milestones.MILESTONES), work, picture, console)
    except (milestones.MilestoneError, OSError) as error:
        _stop(error)


@app.command(rich_help_panel=LEARNERS)
def portfolio(
    name: Annotated[str, typer.Option("--name", help="Your name, as it is to stand on the page.")] = "",
    file: Annotated[Path | None, typer.Argument(help="The page to write; by default work/portfolio.html.")] = None,
) -> None:
    """Write one offline page of what you have done: functions that pass, milestones with their pictures, quizzes."""
    from rich.console import Console

    from . import quiz_terminal
    from .yours import portfolio as own

    try:
        course, work = course_folder(), work_folder()
        log = quiz_terminal.Progress.load(course / "book" / "quizzes", Console()).log
        target = file or work / "portfolio.html"
        own.write(target, own.portfolio(work, course, log, name))
    except (ValueError, OSError) as error:
        _stop(error)
    typer.echo(gettext("Your portfolio is {file}. Its links to your code work where the folder mine lies beside it.").format(file=target))


@app.command(rich_help_panel=LEARNERS)
def verify(
    file: Annotated[Path, typer.Argument(help="The signed page.")],
    key: Annotated[Path, typer.Option("--key", help="The course's public key, signing-key.pub.pem, had from the course itself.")],
) -> None:
    """Say whether a record is exactly what the course has signed."""
    try:
        from .yours import signing

        verdict = signing.verify(file, signing.public_key(key))
    except ModuleNotFoundError as error:
        _missing(error)
    except (ValueError, OSError) as error:
        _stop(error)
    typer.echo(verdict.sentence)
    if not verdict.valid:
        raise typer.Exit(1)


@app.command(rich_help_panel=INSTRUCTORS)
def sign(
    student: Annotated[str, typer.Argument(help="The student's login in the gradebook.")],
    portfolio: Annotated[Path | None, typer.Option("--portfolio", help="The student's own page, to stand in the record as self-attested.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="The page to write; by default class/signed/STUDENT.html.")] = None,
) -> None:
    """Sign a record of a student from the gradebook. The first time, the course's pair of keys is made in class/."""
    with _class_files():
        from .yours import record_of

        course = course_folder("nbgrader_config.py", "assignments")
        done = record_of.sign(course, student, portfolio, to)
        if done.new_key:
            typer.echo(f"A pair of keys was made. Keep {done.private} secret, and give {done.public} to whoever is to verify; its fingerprint is {done.fingerprint}.")
        typer.echo(f"The signed record of {student} is {done.file}.")


@app.command(rich_help_panel=INSTRUCTORS)
def record(
    file: Annotated[Path | None, typer.Argument(help="The file to write, or with --compare to read.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Hold this machine's references to those in the file.")] = False,
) -> None:
    """Record the references of the checks on this device, or compare this device with a recording. Without a file: renew the truths
    of the public cases that the package ships, after a task changed."""
    from .checks import TASKS, recorded, truths
    from .checks.drawn import PUBLIC_SEED

    try:
        if file is None and compare:
            _stop("Name the file to compare with: unrolled record --compare FILE.")
        if file is None:
            typer.echo(f"{truths.record(TASKS.values(), PUBLIC_SEED)} truths are in {truths.FILE}.")
            return
        if not compare:
            typer.echo(f"{recorded.record(file)} cases are in {file}.")
            return
        where, _ = recorded.load(file)
        typer.echo(f"Recorded by {where['judge']} on {where['date']}. Largest relative difference here:")
        for task, difference in recorded.differences(file).items():
            typer.echo(f"  {task:<28}{difference:.1e}")
    except (ImportError, ValueError, OSError) as error:
        _stop(error)


@contextlib.contextmanager
def _class_files() -> Iterator[None]:
    """Say in one sentence what stops work on the files of a class that judges nothing."""
    try:
        yield
    except ModuleNotFoundError as error:
        _stop(f"This needs {error.name}: install the course with `pip install -e '.[grading,reference]'`.")
    except (OSError, ValueError) as error:
        _stop(error)


@contextlib.contextmanager
def _class_work(scheduler: str | None) -> Iterator[None]:
    """Warn about a scheduler that anybody may reach, and say in one sentence what stops work on a class."""
    try:
        from .grading import sandbox, worker

        if not scheduler:
            worker.prepare_processes()  # before farm, whose import takes as long as that
        from .grading import farm
    except ModuleNotFoundError as error:
        _stop(f"Grading needs {error.name}: install the course with `pip install -e '.[grading,reference]'`.")
    if scheduler and (warning := farm.warning_about(scheduler)):
        typer.echo(f"unrolled: {warning}", err=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
            yield
    except (farm.FarmError, farm.NbGraderException, sandbox.SandboxError, OSError, ValueError) as error:
        _stop(error)
    except KeyboardInterrupt:
        typer.echo("unrolled: stopped. What was graded is kept: run the same command again to go on.", err=True)
        raise typer.Exit(130) from None


Assignment = Annotated[str, typer.Argument(help="The assignment, such as 02-rnn-forward.")]
Scheduler = Annotated[str | None, typer.Option(help="Judge on the cluster of this Dask scheduler, such as tls://host:8786.")]
Workers = Annotated[int | None, typer.Option(min=1, help="How many processes of this machine judge; by default one a core.")]
Students = Annotated[list[str] | None, typer.Option("--student", help="Only this student; may be given several times.")]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@app.command(rich_help_panel=INSTRUCTORS)
def grade(
    name: Assignment,
    scheduler: Scheduler = None,
    workers: Workers = None,
    student: Students = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what is graded already.")] = False,
    new_cases: Annotated[
        bool, typer.Option("--new-cases", help="Draw other secret cases first, and grade everybody again: after feedback learners know the old ones.")
    ] = False,
) -> None:
    """Grade what a class handed in, over all cores or a cluster. Stopped at any point, it goes on where it was."""
    with _class_work(scheduler):
        from rich.console import Console

        from .grading import farm

        room = farm.classroom(course_folder("nbgrader_config.py", "assignments"), name)
        console = Console()
        if new_cases and student:
            raise ValueError("--new-cases is for the whole class, which is judged by the same cases: leave --student out.")
        if new_cases:
            room.forget_cases()
        report = farm.grade(
            room, scheduler=scheduler, workers=workers or _cores(), wanted=student or (), force=force or new_cases, console=console
        )
        farm.tell(report, room, console)
        if "not graded" in report.states.values():
            raise typer.Exit(1)


@app.command(rich_help_panel=INSTRUCTORS)
def regrade(
    name: Assignment,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    scheduler: Scheduler = None,
    workers: Workers = None,
    student: Students = None,
) -> None:
    """After a task was corrected: judge again what is graded, and show whose grade changes by how much. Grades by hand stay."""
    with _class_work(scheduler):
        from rich.console import Console

        from .grading import farm

        room = farm.classroom(course_folder("nbgrader_config.py", "assignments"), name)
        console = Console()
        changes, report = farm.regrade(
            room, dry_run=dry_run, scheduler=scheduler, workers=workers or _cores(), wanted=student or (), console=console
        )
        farm.tell_changes(changes, report, dry_run, console)
        if any(state == "not graded" for state in report.states.values()):
            raise typer.Exit(1)


@app.command(rich_help_panel=INSTRUCTORS)
def roster(
    file: Annotated[Path, typer.Argument(help="The table: Canvas's gradebook or Moodle's grading worksheet, as CSV.")],
    number: Annotated[str | None, typer.Option(help="The column with the platform's number of each student.")] = None,
    login: Annotated[str | None, typer.Option(help="The column with what the export is to call them by.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what somebody handed in under their login before.")] = False,
) -> None:
    """Rename what was collected under a platform's numbers to the students' logins, for this assignment and all that follow."""
    with _class_files():
        from .grading import roster as table
        from .grading import steps
        from .grading.names import shown

        submitted, folder = steps.class_folders(course_folder("nbgrader_config.py", "assignments"))
        made = table.plan(table.rows_of(file, number, login), submitted, folder, force)
        table.carry_out(made, folder)
        for remark in made.remarks:
            typer.echo(f"unrolled: {remark}", err=True)
        for source, target in made.moves:
            typer.echo(f"{source.parent.name} → {target.parent.name}: {shown(target.name)}")
        typer.echo(f"{len(made.moves)} submissions of {len(made.emptied)} students were renamed; {len(folder.roster())} logins are known.")


@app.command(rich_help_panel=INSTRUCTORS)
def similar(
    name: Assignment,
    top: Annotated[int, typer.Option(min=1, help="How many pairs to show.")] = 20,
) -> None:
    """Show the pairs of students whose code is most alike when names, numbers and comments don't count. No verdict: talk with them."""
    with _class_files():
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        from .grading import similar as compared
        from .grading import steps

        course = course_folder("nbgrader_config.py", "assignments")
        _, folder = steps.class_folders(course)
        codes = compared.codes_of(folder, name, compared.released_in(course / "assignments" / name))
        if len(codes) < 2:
            raise ValueError(f"{len(codes)} submissions of {name} are graded, and two at least can be compared: run `unrolled grade {name}`.")
        table = Table("alike", "student", "student", "the same when names don't count")
        for pair in compared.pairs(codes, top):
            table.add_row(f"{pair.alike:.2f}", escape(pair.one), escape(pair.other), escape(", ".join(pair.same)))
        Console().print(table)


@app.command("doctor", rich_help_panel=INSTRUCTORS)
def examine() -> None:
    """Say whether learners' code can be run safely here, who else can read the class, how to mend it, and the versions of what matters."""
    from .grading import doctor

    try:
        course = course_folder("nbgrader_config.py", "solutions")
    except FileNotFoundError:
        course = None
    findings = doctor.examine(course)
    typer.echo(doctor.as_text(findings))
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def _asked_language(arguments: list[str]) -> str | None:
    """The language that a command line names, wherever it does: it is known before anything is said."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            return None
        if argument == "--language" and place + 1 < len(arguments):
            return arguments[place + 1]
        if argument.startswith("--language="):
            return argument.partition("=")[2]
    return None


def _translated(command: Any) -> Any:
    """A command, and those in it, with its help in the language that is spoken now."""
    for part in [command, *command.get_params(typer.Context(command))]:
        if getattr(part, "help", None):
            part.help = gettext(" ".join(part.help.split()))
    command.options_metavar = gettext(OPTIONS)
    if hasattr(command, "subcommand_metavar"):
        command.subcommand_metavar = gettext(COMMAND)
    command.format_usage = lambda context, formatter: formatter.write_usage(context.command_path, " ".join(command.collect_usage_pieces(context)), gettext(USAGE))
    if panel := getattr(command, "rich_help_panel", None):
        command.rich_help_panel = gettext(panel)
    for inner in getattr(command, "commands", {}).values():
        _translated(inner)
    return command


def main() -> None:
    """What the command `unrolled` runs."""
    terminal.never_fail()
    if asked := _asked_language(sys.argv[1:]):
        try:
            language.use(asked)
            os.environ["UNROLLED_LANGUAGE"] = language.language()  # for the processes that it starts
        except ValueError as error:
            typer.echo(f"unrolled: {error}", err=True)
            sys.exit(2)
    command = typer.main.get_command(app)
    if language.language() != language.SOURCE:
        library.bindtextdomain("terminal", str(language.FOLDER))
        library.textdomain("terminal")
        os.environ["LANGUAGE"] = language.language()
        _translated(command)
    command()


if __name__ == "__main__":
    main()

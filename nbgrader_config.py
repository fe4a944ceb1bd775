"""nbgrader's settings for this course: `nbgrader autograde 02-rnn-forward` and its other commands work from this folder.

solutions/   what instructors edit: model answers with points (nbgrader's source)
assignments/ what learners open, made from solutions/ (nbgrader's release)
class/       a class being graded: submitted/<student>/<assignment>/, autograded/, feedback/, gradebook.db, grades.csv
"""

import os
import sys
from pathlib import Path

from nbgrader.converters import GenerateAssignment, GenerateFeedback

from unrolled.grading import steps

ROOT = Path(__file__).resolve().parent
CLASS = ROOT / "class"
# SQLite makes the gradebook, but not the folder that it lies in; nobody else's account may look into it.
CLASS.mkdir(mode=0o700, exist_ok=True)

# nbgrader starts `alembic` by name: it lies beside this Python, also where the environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

c = get_config()  # noqa: F821, given by traitlets

c.CourseDirectory.course_id = "unrolled"
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.submitted_directory = "class/submitted"
c.CourseDirectory.autograded_directory = "class/autograded"
c.CourseDirectory.feedback_directory = "class/feedback"
# What stands beside a notebook is released with it, but its text form holds the answers.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.nb.md"]
# The gradebook: a file, or a database of its own on a PostgreSQL server by UNROLLED_DB=postgresql://user:password@host/database
c.CourseDirectory.db_url = os.environ.get("UNROLLED_DB") or f"sqlite:///{CLASS / 'gradebook.db'}"

# nbgrader's exchange, as on a JupyterHub: what others put there is taken with care. Where it lies is set for the whole machine.
c.ExchangeFactory.collect = "unrolled.grading.exchange.Collect"
c.ExchangeFactory.list = "unrolled.grading.exchange.List"
c.ExchangeFactory.release_assignment = "unrolled.grading.exchange.ReleaseAssignment"
c.ExchangeFactory.release_feedback = "unrolled.grading.exchange.ReleaseFeedback"

# `nbgrader export`: a table; --CsvExport.layout=canvas or --CsvExport.layout=moodle writes what these import.
c.ExportApp.plugin_class = "unrolled.grading.export.CsvExport"
c.ExportPlugin.to = str(CLASS / "grades.csv")

# `nbgrader zip_collect` for the downloads of Canvas and Moodle: whose a file is by the platform's own pattern, nothing else unpacked.
c.ZipCollectApp.downloaded_directory = "class/downloaded"
c.ZipCollectApp.extractor_plugin = "unrolled.grading.zips.PlatformExtractor"
c.ZipCollectApp.collector_plugin = "unrolled.grading.zips.PlatformCollector"

# Grading: what was handed in is rebuilt from the release and judged by the referee; its code runs in a sandbox only.
# `nbgrader validate` runs a notebook as it stands, for its author.
steps.plug_in()
c.Autograde.exporter_class = "unrolled.grading.steps.SubmissionExporter"
# A rebuilt notebook has the release's metadata, kernel and ids, and no outputs: nbgrader's steps that mend or check these are left
# out, and it is checked once, after the last step.
c.Autograde.sanitize_preprocessors = []
c.SubmissionExporter.optimistic_validation = True
c.Autograde.autograde_preprocessors = [
    "unrolled.grading.steps.Judge",  # in the place of nbgrader's Execute
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "unrolled.grading.steps.SaveGrades",  # nbgrader's SaveAutoGrades, which sends every grade by hand back for a look
    "unrolled.grading.late_days.AssignLateDays",  # nbgrader's AssignLatePenalties, for all of a student's assignments
]
c.Judge.class_folder = str(CLASS)
# Generating an assignment ends with what the references give on the secret cases of the class, so that grading need not load torch.
c.GenerateAssignment.preprocessors = [*GenerateAssignment.preprocessors.default(), "unrolled.grading.steps.Prepare"]

# Late days. They begin when an assignment has a due date, for example by
#   nbgrader db assignment add 02-rnn-forward --duedate="2030-03-01 18:00 UTC"
# What counts is the time of receipt in timestamp.txt beside a notebook, and a student's extension.
c.AssignLatePenalties.plugin_class = "unrolled.grading.late_days.LateDays"
c.LateDays.bank = 5  # days that a student may be late without loss, over the whole course; received first, paid first
c.LateDays.rate = 0.1  # the share of an assignment's points that each day beyond the bank costs; 0: late days cost nothing
c.LateDays.grace_minutes = 15  # after the due date, and after the same time of each day that follows, which don't count
c.LateDays.timezone = "UTC"  # the clock on the wall that ends a day; such as "Europe/Berlin" or "America/New_York"
c.GenerateFeedback.preprocessors = ["unrolled.grading.late_days.SettleLateDays", *GenerateFeedback.preprocessors.default()]

c.Execute.timeout = 120  # for `nbgrader validate`: the first check of a notebook imports torch

# The feedback page has a template of our own. The formgrader keeps nbgrader's, so set nothing for HTMLExporter, which is the base of both.
c.GenerateFeedback.exporter_class = "unrolled.grading.pages.FeedbackExporter"

"""nbgrader's settings for this course: `nbgrader autograde 02-rnn-forward` and its other commands work from this folder.

solutions/   what instructors edit: model answers with points (nbgrader's source)
assignments/ what learners open, made from solutions/ (nbgrader's release)
class/       a class being graded: submitted/<student>/<assignment>/, autograded/, feedback/, gradebook.db, grades.csv
"""

import os
import sys
from pathlib import Path

import unrolled.grading

ROOT = Path(__file__).resolve().parent
CLASS = ROOT / "class"
CLASS.mkdir(exist_ok=True)  # SQLite makes the gradebook, but not the folder that it lies in

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
c.CourseDirectory.db_url = f"sqlite:///{CLASS / 'gradebook.db'}"
c.ExportPlugin.to = str(CLASS / "grades.csv")

# The first check of a notebook imports torch.
c.Execute.timeout = 120

# The feedback page: our own template, which loads nothing from a network.
c.HTMLExporter.template_name = "unrolled_feedback"
c.HTMLExporter.extra_template_basedirs = [str(Path(unrolled.grading.__file__).parent / "templates")]
c.HTMLExporter.filters = {"safe_html": "unrolled.grading.feedback.safe_html"}

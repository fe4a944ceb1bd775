"""Grading what learners hand in: nbgrader's feedback page, and the referee."""

"""What the tasks of assignment 08-your-data share."""

from __future__ import annotations

ASSIGNMENT = "08-your-data"

"""nbgrader's formgrader, in which answers are marked by hand, with our filters: it shows learners' texts and names in Jupyter's own
origin, where a script could grade, read and run anything."""

from __future__ import annotations

from typing import Any

from nbgrader.server_extensions.formgrader.base import BaseHandler

from .pages import PageExporter


class SubmissionPageExporter(PageExporter):
    """Makes the page of a submission, from nbgrader's own template."""

    def from_filename(self, filename: str, resources: dict | None = None, **kw: Any) -> tuple[str, dict]:
        return super().from_filename(filename, resources=_as_text(resources or {}), **kw)


def _as_text(value: Any) -> Any:
    """What nbgrader's templates write into a page as it is, such as the names of learners and folders, without HTML.

    An ampersand or an apostrophe stays: the templates write names into scripts, too, where these need no escape.
    """
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    return value.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") if isinstance(value, str) else value


def _exporter(handler: BaseHandler) -> SubmissionPageExporter:
    """The formgrader's exporter of the settings that nbgrader has given it, made once."""
    if "unrolled_exporter" not in handler.settings:
        handler.settings["unrolled_exporter"] = SubmissionPageExporter(config=handler.settings["nbgrader_exporter"].config)
    return handler.settings["unrolled_exporter"]


def _render(handler: BaseHandler, name: str, **values: Any) -> str:
    return handler.settings["nbgrader_jinja2_env"].get_template(name).render(**_as_text(values))


def plug_in() -> None:
    """Let the formgrader of this process make its pages by our exporter, and show names as text."""
    BaseHandler.exporter = property(_exporter)
    BaseHandler.render = _render

"""One setting, ``unrolled_repository``, turns on what needs a public address: repository, edit, issue and launch buttons.

Empty, which is the default, all of them are off, and no page links to an address that does not exist.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

ADDRESS = re.compile(r"https://[\w.-]+/[\w.-]+/[\w.-]+")
BUTTONS = ("use_repository_button", "use_edit_page_button", "use_issues_button")


def set_buttons(app: Sphinx, config: Config) -> None:
    """Give the theme the address, or turn its buttons off. Raises ConfigError for an address it can't use."""
    address = config.unrolled_repository.rstrip("/").removesuffix(".git")
    options = config.html_theme_options
    if not address:
        options.update(dict.fromkeys(BUTTONS, False))
        options.pop("repository_url", None)
        options.pop("launch_buttons", None)
        return
    if not ADDRESS.fullmatch(address):
        raise ConfigError(
            f"unrolled_repository should be the address of a repository, such as https://github.com/OWNER/NAME, received {address!r}."
        )
    options.update(dict.fromkeys(BUTTONS, True))
    options.update(
        repository_url=address,
        repository_branch="main",
        path_to_docs="",
        launch_buttons={
            "colab_url": "https://colab.research.google.com", "binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab",
        },
    )  # fmt: skip


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the setting, and act on it after every other extension has had its say."""
    app.add_config_value("unrolled_repository", "", "html", [str])
    app.connect("config-inited", set_buttons, priority=900)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}

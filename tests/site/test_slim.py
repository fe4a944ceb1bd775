"""What is left out of a finished page changes nothing that a reader sees."""

from __future__ import annotations

from unrolled.site import slim

STYLES = "".join(
    f'html[data-theme="{mode}"] .highlight {{ background: {ground}; color: {text} }}\n'
    f'html[data-theme="{mode}"] .highlight .k {{ color: {key} }} /* Keyword */\n'
    f'html[data-theme="{mode}"] .highlight .n {{ color: {text} }} /* Name */\n'
    f'html[data-theme="{mode}"] .highlight .ge {{ font-style: italic }}\n'
    f'html[data-theme="{mode}"] .highlight .o {{ color: {other} }} /* Operator */\n'
    for mode, ground, text, key, other in (("light", "#fff", "#080808", "#6730C5", "#080808"), ("dark", "#222", "#F8F8F2", "#DCC6E0", "#ABE338"))
)


def test_a_class_is_plain_if_it_has_the_blocks_colour_in_both_modes():
    assert slim.plain_classes(STYLES) == {"n"}


def test_tags_of_plain_classes_are_left_out_of_code_and_what_they_hold_stays():
    page = '<pre><span></span><span class="k">def</span> <span class="n">größer</span>(<span class="n">a</span>)</pre><span class="n">outside</span>'
    slimmer = '<pre><span></span><span class="k">def</span> größer(a)</pre><span class="n">outside</span>'
    assert slim.without_tags(page.encode(), {"n"}).decode() == slimmer


def test_blank_lines_and_indentation_go_around_the_content_and_stay_where_they_mean_something():
    content = "<article>\n\n  <p>a\n   b</p>\n</article>"
    script = "<script>\n\n  let a = `\n\n  b`;\n</script>"
    page = f"<body>\n\n    <nav>\n      <a>\n\n</a>   <a></a>\n</nav>\n   {script}\n\n{content}\n\n\n<pre>\n\n  x</pre>\n\n</body>\n"
    slimmer = f"<body>\n<nav>\n<a>\n</a>   <a></a>\n</nav>\n{script}\n{content}\n<pre>\n\n  x</pre>\n</body>\n"
    assert slim.without_blanks(page.encode()).decode() == slimmer


def test_without_styles_nothing_is_left_out():
    assert slim.without_tags(b'<pre><span class="n">a</span></pre>', set()) == b'<pre><span class="n">a</span></pre>'


def test_the_books_styles_leave_names_and_brackets_plain(tmp_path):
    from pygments.formatters import HtmlFormatter

    styles = "".join(f"{line}\n" for mode, style in (("light", "a11y-high-contrast-light"), ("dark", "a11y-dark")) for line in
                     HtmlFormatter(style=style).get_style_defs(f'html[data-theme="{mode}"] .highlight').splitlines())  # fmt: skip
    assert {"n", "p"} <= slim.plain_classes(styles)
    assert not {"k", "s2", "mi", "c1", "o"} & slim.plain_classes(styles)

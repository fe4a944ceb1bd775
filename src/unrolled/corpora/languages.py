"""Names of countries, languages and currencies in twenty languages: real text to classify, from Unicode's CLDR as Babel carries it."""

from .labelled_texts import LabelledTexts

# All are written in Latin letters. Codes are ISO 639's.
LANGUAGES = {
    "en": "English", "fr": "French", "de": "German", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "nl": "Dutch", "sv": "Swedish",
    "da": "Danish", "fi": "Finnish", "pl": "Polish", "cs": "Czech", "tr": "Turkish", "hu": "Hungarian", "ro": "Romanian", "vi": "Vietnamese",
    "id": "Indonesian", "sw": "Swahili", "eu": "Basque", "cy": "Welsh",
}  # fmt: skip
KINDS = ("territories", "languages", "currencies")


def cldr_names() -> LabelledTexts:
    """About 23,600 names; the label is the code of the language that the name is written in, one of `LANGUAGES`.

    The group is what is named, the same in all languages: "territories DE" is Germany, Allemagne, Deutschland, … A name that one language uses
    for two things (a country and its kind of money, say) is given once, in the group that it occurs in first. A name that several languages spell
    alike is given once for each. Raises ModuleNotFoundError when Babel is missing. Licence of the data: Unicode-3.0.
    """
    locale = _babel().Locale
    found: dict[tuple[str, str], str] = {}
    for code in LANGUAGES:
        spoken = locale.parse(code)
        for kind in KINDS:
            for key, name in sorted(getattr(spoken, kind).items()):
                found.setdefault((code, name), f"{kind} {key}")
    return LabelledTexts([name for _, name in found], [code for code, _ in found], list(found.values()))


def cldr_names_version() -> str:
    """The version that the names come from, such as "Babel 2.18.0": name it beside results, since each one has more names."""
    return f"Babel {_babel().__version__}"


def _babel():
    try:
        import babel
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("The names come with Babel, but it is not installed here; run `pip install babel`.") from error
    return babel

"""A paper as a plain HTML page: everything escaped, no script, nothing fetched from elsewhere."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from loop.documents.content import Sheet

LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("loop.documents"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    return environment.get_template("paper.html")


def page(sheet: Sheet) -> str:
    """The whole page."""
    return _template().render(sheet=sheet, language=LANGUAGE_TAGS[sheet.language])

"""The words of every page in English and Chinese, from one table.

``words.toml`` holds one line a key: ``key = { en = "...", zh = "..." }``, or ``"text" = "..."`` where the key is the
English text. Texts may hold fields in braces, which :func:`word` fills.
"""

from __future__ import annotations

import re
import string
import tomllib
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from experiments.money import Language
from scenarios.errors import InputRefused, Problem

_NEXT_LOCK = re.compile(r"; (?=\S+ locked by )")
"""Where the next lock begins; a reason may hold semicolons of its own."""
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@lru_cache(maxsize=1)
def table() -> MappingProxyType[str, MappingProxyType[str, str]]:
    """All texts by dotted key (``section.name``; terms of the trade have no section) and language."""
    text = resources.files("experiments").joinpath("words.toml").read_text(encoding="utf-8")
    found: dict[str, MappingProxyType[str, str]] = {}
    for section, entries in tomllib.loads(text).items():
        for name, texts in entries.items():
            key = name if section == "terms" else f"{section}.{name}"
            found[key] = MappingProxyType({"en": name, "zh": texts} if isinstance(texts, str) else texts)
    return MappingProxyType(found)


def word(key: str, language: str, **fields: object) -> str:
    """The text of a key in a language, its fields filled.

    Raises:
        KeyError: the key has no entry, or a field of the text was not given.
        InputRefused: pages do not exist in this language.
    """
    check_language(language)
    try:
        texts = table()[key]
    except KeyError:
        raise KeyError(f"no text for {key!r} in words.toml") from None
    text = texts[language]
    return text.format(**fields) if fields else text


def phrase(section: str, text: str) -> tuple[str | None, dict[str, str]]:
    """The key under which a section holds a machine's phrase, with what stands in the phrase where the key has fields.

    A section may hold ``"sold by {who}"`` for every phrase of that form. ``None`` where it has none.
    """
    key = f"{section}.{text}"
    if key in table():
        return key, {}
    for pattern, found in _forms(section):
        if match := pattern.fullmatch(text):
            return found, match.groupdict()
    return None, {}


@lru_cache(maxsize=32)
def _forms(section: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The keys of a section that have fields, as patterns of the phrases that they stand for."""
    forms = [key for key in table() if key.startswith(f"{section}.") and "{" in key]
    return tuple((_pattern(key.removeprefix(f"{section}.")), key) for key in forms)


def known(section: str, text: str, language: str) -> str:
    """The text that a section has for a machine's phrase; the phrase itself where it has none."""
    key, fields = phrase(section, text)
    return text if key is None else word(key, language, **fields)


def exceptions(text: str, language: str) -> str:
    """What a rule gives way to, as an audit tells it (``PATH locked by AUTHOR (REASON)``, parted by semicolons)."""
    parts = _NEXT_LOCK.split(text) if text else []
    return ("；" if language == "zh" else "; ").join(known("exception", part, language) for part in parts)


def _pattern(form: str) -> re.Pattern[str]:
    parts = [
        re.escape(text) + (f"(?P<{name}>.+)" if name else "") for text, name, _, _ in string.Formatter().parse(form)
    ]
    return re.compile("".join(parts))


def check_language(language: str) -> Language:
    """The language, if pages exist in it.

    Raises:
        InputRefused: they do not.
    """
    for known in LANGUAGES:
        if language == known:
            return known
    raise InputRefused(Problem("language", language, "pages come in English and Chinese", "give en or zh"))


def listed(items: list[str], language: str, most: int = 3) -> str:
    """``A, B and 2 more``: a list for a sentence, never longer than ``most`` items."""
    separator = "、" if language == "zh" else ", "
    shown = separator.join(items[:most])
    return shown if len(items) <= most else word("page.and_more", language, shown=shown, count=len(items) - most)

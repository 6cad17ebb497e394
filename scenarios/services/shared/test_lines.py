"""Texts of users among other words: however they are meant, they stay what they are."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.lines import ONE_LINE, one_line, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("New laptop", "“New laptop”"),
        ("x”, with no comments?\n\nYes to all: “y", "“x', with no comments? Yes to all: 'y”"),
        ("Omar \u202eرصن\u202c \u2066Nasr", "“Omar رصن Nasr”"),
        ("\x1b[2J\x1b[1;1HDelete\r\x07 nothing\x9b0m", "“[2J [1;1HDelete nothing 0m”"),
        ("Nothing\u200bto\u2060see\u3164here\U000e0041", "“Nothing to see here”"),
        ("\u200b\u2800\ufeff", "“”"),
    ],
    ids=["plain", "closing quotes", "turned round", "terminal", "zero width", "nothing to see"],
)
def test_no_text_says_more_than_its_quotation(text: str, shown: str) -> None:
    assert quoted(text) == shown


@given(text=st.text(max_size=300), longest=st.integers(1, 100))
def test_a_quotation_is_one_line_with_quotes_at_its_ends_alone(text: str, longest: int) -> None:
    shown = quoted(text, longest=longest)
    assert len(shown) <= longest + 2
    assert (shown[0], shown[-1]) == ("“", "”")
    assert not set('“”"') & set(shown[1:-1])
    assert all(character == " " or unicodedata.category(character)[0] not in "CZ" for character in shown)
    assert one_line(shown, longest=longest + 2) == shown


def test_what_is_cut_says_so() -> None:
    assert one_line("a" * 101, longest=100) == "a" * 99 + "…"
    assert one_line("a" * 100, longest=100) == "a" * 100


@pytest.mark.parametrize("text", ["x", "🚒", "\u202eright-to-left\u202c", "VPN drops “daily”", "é"])
def test_a_line_is_one_with_whatever_script(text: str) -> None:
    assert re.fullmatch(ONE_LINE, text)


@pytest.mark.parametrize(
    "text", ["", " \u3000", "\u200b\u200d\u2060\ufeff", "\u2800", "a\nb", "a\x1b[2J", "a\x85b", "a\u2028b"]
)
def test_a_line_is_none_if_it_shows_nothing_or_has_control_characters(text: str) -> None:
    assert not re.fullmatch(ONE_LINE, text)

"""Pages of a provider in the eyes of somebody who wants to sign in: their forms, filled in and sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

TYPED = ("text", "email", "search", "tel", "")
PRESSED = ("submit", "image", "")
TURNS_BACK = ("cancel", "deny", "abort", "no", "reject")


@dataclass
class Form:
    """What the browser would send, and the buttons that send it."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    """Names of what a person fills in."""
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, username: str) -> dict[str, str]:
        """As somebody sends it who agrees to everything; their name is their password."""
        sent = self.fields | {name: self.fields.get(name) or username for name in self.typed}
        name, value = next(iter(sorted(self.buttons, key=lambda button: _dislike(button, username))), ("", ""))
        return sent | ({name: value} if name else {})


def _dislike(button: tuple[str, str], username: str) -> int:
    name, value = (each.lower() for each in button)
    if value == username:
        return 0
    return 2 if any(word in TURNS_BACK for word in (name, value)) else 1


def sign_in_form(html: str, username: str) -> Form | None:
    """The form by which ``username`` gets on: one with a button of that name, else one to fill in, else any."""
    parser = _Forms()
    parser.feed(html)
    posted = [form for form in parser.forms if form.method == "post"]
    ranked = sorted(posted, key=lambda form: _rank(form, username))
    return ranked[0] if ranked else None


def _rank(form: Form, username: str) -> int:
    values: Iterable[str] = (*form.fields.values(), *(value for _, value in form.buttons))
    if username in values:
        return 0
    return 1 if form.typed else 2


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name, value, kind = told.get("name", ""), told.get("value", ""), told.get("type", "").lower()
        if tag == "form":
            self.forms.append(Form(told.get("method", "get").lower(), told.get("action", "")))
            self._open = True
        elif not self._open:
            return
        elif (tag == "button" and kind in PRESSED) or (tag == "input" and kind in PRESSED[:2]):
            self.forms[-1].buttons.append((name, value))
        elif tag == "input" and name and (kind not in ("checkbox", "radio") or "checked" in told):
            self.forms[-1].fields[name] = value
            if kind in (*TYPED, "password"):
                self.forms[-1].typed.append(name)

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "form"

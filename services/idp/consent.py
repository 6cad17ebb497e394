"""Consent: what people let applications have, and what must be asked first (OIDC Core §3.1.2.4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from services.idp import organization, redirects
from services.idp.errors import Refusal
from services.idp.members import Member
from services.idp.pages import Pages
from services.idp.provider import Provider
from services.idp.records import AuthorizationRequest, Session
from services.idp.registry import Client, Resource

ALLOW, DENY = "allow", "deny"
"""Values of the page's buttons, which are called ``answer``."""


@dataclass(frozen=True, slots=True)
class Question:
    """May the application have these scopes at the resource, in the name of the person?"""

    person: Member
    client: Client
    resource: Resource
    scopes: frozenset[str]

    @classmethod
    def of(cls, asked: AuthorizationRequest, session: Session, provider: Provider) -> Self:
        """What an authorization request comes to, for the person who is signed in.

        Raises:
            AccessDenied: they are not an active member of the organization that is asked for.
            Refusal: application or resource are gone.
        """
        registry = provider.registry
        person = organization.granted(asked.organization, session, provider)
        client, resource = registry.clients.get(asked.client_id), registry.resources.get(asked.resource)
        if client is None or resource is None:
            raise Refusal("Not here any more", "The application that began this is no longer registered.")
        return cls(person, client, resource, asked.scopes)

    def needed(self, provider: Provider) -> bool:
        """Whether the answer is wanted and not known yet. It is remembered for each person, organization, application
        and resource; fewer scopes than were allowed are allowed too.
        """
        return self.client.consent and not self.scopes <= provider.store.consented(*self._names)

    def allow(self, provider: Provider) -> None:
        """Remember a yes, on top of earlier ones."""
        scopes = self.scopes | provider.store.consented(*self._names)
        provider.store.keep_consent(*self._names, scopes, organization=self.person.org_id)

    def deny(self, provider: Provider) -> None:
        """A no takes back every earlier yes."""
        provider.store.drop_consent(*self._names)

    @property
    def _names(self) -> tuple[str, str, str]:
        """Of the application as the person saw it: under another name or at another place it is asked for anew."""
        client = self.client
        shown = json.dumps([client.id, client.name, sorted(client.redirect_uris), self.person.org_id])
        return self.person.sub, shown, self.resource.uri


def page(
    pages: Pages,
    question: Question,
    provider: Provider,
    *,
    action: str,
    kept: Mapping[str, str],
    way_back: str | None = None,
    other_person: str | None = None,
) -> HTMLResponse:
    """The question as people see it: a form that posts ``answer`` and the fields of ``kept`` to ``action``.

    ``way_back`` is the redirect URI that the answer leads to, ``other_person`` where somebody else can sign in.
    """
    return pages.render(
        "consent.html",
        tenant=provider.tenant,
        form_action=redirects.form_action(way_back) if way_back else "",
        question=question,
        action=action,
        kept=kept,
        way_back=urlsplit(way_back).netloc if way_back else None,
        other_person=other_person,
        wishes=wishes(question.scopes, question.resource, provider),
    )


def wishes(scopes: frozenset[str], resource: Resource, provider: Provider) -> dict[str, list[str]]:
    """In the words of the registry: what an application wants to do at the resource, and what to know of the person."""
    known = provider.registry.scopes
    return {
        "theirs": [known[scope] for scope in known if scope in scopes & resource.scopes],
        "own": [known[scope] for scope in known if scope in scopes - resource.scopes],
    }

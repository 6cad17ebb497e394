"""What the token endpoint puts up with from who has a refresh token: RFC 6749 §6, RFC 9700 §4.14, RFC 7009."""

from __future__ import annotations

import httpx

from harness.strictness.probe import OK, Probe, refused
from harness.strictness.verdict import Check, Unclear, Verdict, shown


def rotates(probe: Probe) -> Verdict:
    """A public client's refresh token changes with each use."""
    before = probe.refresh_token()
    after = _renewed(probe, before).json().get("refresh_token", before)
    return Verdict.of(strict=after != before, evidence="another token" if after != before else "the same token")


def reuse_refused(probe: Probe) -> Verdict:
    """A refresh token is good once."""
    token = probe.refresh_token()
    _renewed(probe, token)
    answer = probe.refresh(token)
    return Verdict.of(strict=refused(answer), evidence=answer)


def reuse_ends_the_family(probe: Probe) -> Verdict:
    """A refresh token used twice ends the whole family."""
    stolen = probe.refresh_token()
    renewed = _renewed(probe, stolen).json().get("refresh_token", stolen)
    probe.refresh(stolen)
    answer = probe.refresh(renewed)
    return Verdict.of(strict=refused(answer), evidence=answer)


def made_up_refused(probe: Probe) -> Verdict:
    """A made-up refresh token is refused."""
    _renewed(probe, probe.refresh_token())
    answer = probe.refresh("made-up")
    return Verdict.of(strict=refused(answer), evidence=answer)


def belongs_to_a_client(probe: Probe) -> Verdict:
    """A refresh token is bound to its client."""
    answer = probe.refresh(probe.refresh_token(), client_id=probe.other_client())
    return Verdict.of(strict=refused(answer), evidence=answer)


def does_not_widen(probe: Probe) -> Verdict:
    """A refresh does not widen the scope."""
    narrow = probe.tokens(scope="openid offline_access").get("refresh_token")
    if narrow is None:
        raise Unclear("there is no refresh token for the smallest scope")
    answer = probe.refresh(narrow, scope="openid offline_access profile email")
    wider = answer.status_code == OK and {"profile", "email"} & {*answer.json().get("scope", "").split()}
    return Verdict.of(strict=not wider, evidence=answer if answer.status_code != OK else answer.json().get("scope"))


def revocation_works(probe: Probe) -> Verdict:
    """A revoked refresh token is worth nothing."""
    token = probe.refresh_token()
    probe.post(probe.endpoint("revocation"), {"token": token, "client_id": probe.application.client_id})
    answer = probe.refresh(token)
    return Verdict.of(strict=refused(answer), evidence=answer)


def others_cannot_revoke(probe: Probe) -> Verdict:
    """A client cannot revoke the token of another."""
    token = probe.refresh_token()
    probe.http.post(probe.endpoint("revocation"), data={"token": token, "client_id": probe.other_client()})
    answer = probe.refresh(token)
    return Verdict.of(strict=answer.status_code == OK, evidence=answer.status_code)


def introspection_asks_who(probe: Probe) -> Verdict:
    """A stranger cannot introspect."""
    answer = probe.http.post(probe.endpoint("introspection"), data={"token": str(probe.tokens()["access_token"])})
    told = answer.status_code == OK and answer.json().get("active")
    return Verdict.of(strict=not told, evidence=answer)


def _renewed(probe: Probe, token: str) -> httpx.Response:
    answer = probe.refresh(token)
    if answer.status_code != OK:
        raise Unclear("an honest refresh token was refused", evidence=shown(answer))
    return answer


CHECKS = (
    Check("refresh-rotates", "RFC 9700 §4.14.2", rotates),
    Check("refresh-once", "RFC 9700 §4.14.2", reuse_refused),
    Check("refresh-family", "RFC 9700 §4.14.2", reuse_ends_the_family),
    Check("refresh-made-up", "RFC 6749 §5.2", made_up_refused),
    Check("refresh-client", "RFC 6749 §6", belongs_to_a_client),
    Check("refresh-scope", "RFC 6749 §6", does_not_widen),
    Check("revocation", "RFC 7009 §2.2", revocation_works),
    Check("revocation-client", "RFC 7009 §2.1", others_cannot_revoke),
    Check("introspection", "RFC 7662 §2.1", introspection_asks_who),
)

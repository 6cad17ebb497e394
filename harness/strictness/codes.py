"""What the token endpoint puts up with from who has a code, or none: RFC 6749 §3.2 and §4.1.3, RFC 7636, RFC 9700."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from harness.strictness.probe import OK, Code, Probe, refused
from harness.strictness.verdict import Absent, Check, Verdict, shown


def verifier_required(probe: Probe) -> Verdict:
    """A code with a challenge is worth nothing without its verifier."""
    return _no_tokens(probe, probe.code(), code_verifier=None)


def verifier_checked(probe: Probe) -> Verdict:
    """A wrong verifier is refused."""
    return _no_tokens(probe, probe.code(), code_verifier="w" * 64)


def no_downgrade(probe: Probe) -> Verdict:
    """A verifier for a code without a challenge is refused."""
    landing = probe.authorize(probe.asked(code_challenge=None, code_challenge_method=None))
    if "code" not in landing.told:
        return Verdict.of(strict=True, evidence="there is no code without a challenge")
    return _no_tokens(probe, Code(landing.told["code"], "v" * 64, ""))


def made_up_code_refused(probe: Probe) -> Verdict:
    """A made-up code is refused."""
    return _no_tokens(probe, replace(probe.code(), code="made-up"))


def code_is_good_once(probe: Probe) -> Verdict:
    """A code is good once."""
    code = probe.code()
    probe.redeemed(code)
    return _no_tokens(probe, code)


def replay_revokes(probe: Probe) -> Verdict:
    """A replayed code revokes what it was traded for."""
    code = probe.code()
    told = probe.redeemed(code).json()
    probe.redeem(code)
    if "refresh_token" in told:
        answer = probe.refresh(str(told["refresh_token"]))
        return Verdict.of(strict=refused(answer), evidence=f"refresh after a replay: {shown(answer)}")
    headers = {"authorization": f"Bearer {told['access_token']}"}
    answer = probe.http.get(probe.endpoint("userinfo"), headers=headers)
    return Verdict.of(strict=answer.status_code != OK, evidence=f"userinfo after a replay: {shown(answer)}")


def redirect_uri_compared(probe: Probe) -> Verdict:
    """A code is bound to its redirect_uri."""
    return _no_tokens(probe, probe.code(), redirect_uri="http://127.0.0.1/other")


def code_belongs_to_a_client(probe: Probe) -> Verdict:
    """A code is bound to its client."""
    return _no_tokens(probe, probe.code(), client_id=probe.other_client())


def unknown_client_refused(probe: Probe) -> Verdict:
    """An unknown client gets invalid_client."""
    answer = probe.redeem(probe.code(), client_id="nobody-has-registered-this")
    strict = refused(answer) and answer.json().get("error") == "invalid_client"
    return Verdict.of(strict=strict, evidence=answer)


def repeated_parameters_refused(probe: Probe) -> Verdict:
    """A token request with a repeated parameter is refused."""
    for name in ("code", "grant_type", "code_verifier"):
        form = probe.redemption(probe.code())
        answer = probe.token(f"{urlencode(form)}&{urlencode({name: form[name]})}")
        if not refused(answer):
            return Verdict.of(strict=False, evidence=f"{name} twice: {shown(answer)}")
    return Verdict.of(strict=True, evidence="code, grant_type and code_verifier")


def query_is_no_body(probe: Probe) -> Verdict:
    """Parameters in the query of the token endpoint do not count."""
    answer = probe.token("", params=probe.redemption(probe.code()))
    return Verdict.of(strict=answer.status_code != OK, evidence=answer)


def only_post(probe: Probe) -> Verdict:
    """The token endpoint answers no GET."""
    answer = probe.http.get(probe.endpoint("token"), params=probe.redemption(probe.code()))
    return Verdict.of(strict=answer.status_code != OK, evidence=answer)


def tokens_are_not_stored(probe: Probe) -> Verdict:
    """Tokens may not be stored on their way."""
    told = probe.redeemed(probe.code()).headers.get("cache-control", "none")
    return Verdict.of(strict="no-store" in told, evidence=f"Cache-Control: {told}")


def errors_are_not_stored(probe: Probe) -> Verdict:
    """Errors may not be stored on their way, either."""
    answer = probe.redeem(replace(probe.code(), code="made-up"))
    told = answer.headers.get("cache-control", "none")
    return Verdict.of(strict="no-store" in told, evidence=f"{answer.status_code}, Cache-Control: {told}")


def passwords_refused(probe: Probe) -> Verdict:
    """The password grant is refused."""
    application = probe.application
    form = {"grant_type": "password", "username": application.username, "password": application.username}
    answer = probe.token(form | {"client_id": application.client_id, "scope": "openid"})
    return Verdict.of(strict=refused(answer), evidence=answer)


def public_client_is_no_service(probe: Probe) -> Verdict:
    """A public client gets no client credentials token."""
    if probe.application.secret is not None:
        raise Absent("its client is not public")
    answer = probe.token({"grant_type": "client_credentials", "client_id": probe.application.client_id})
    return Verdict.of(strict=refused(answer), evidence=answer)


def _no_tokens(probe: Probe, code: Code, **changes: str | None) -> Verdict:
    answer = probe.redeem(code, **changes)
    return Verdict.of(strict=refused(answer), evidence=answer)


CHECKS = (
    Check("verifier-required", "RFC 7636 §4.6", verifier_required),
    Check("verifier-checked", "RFC 7636 §4.6", verifier_checked),
    Check("pkce-downgrade", "RFC 9700 §4.8.2", no_downgrade),
    Check("code-made-up", "RFC 6749 §5.2", made_up_code_refused),
    Check("code-once", "RFC 6749 §4.1.2", code_is_good_once),
    Check("code-replay", "RFC 6749 §4.1.2", replay_revokes),
    Check("code-redirect", "RFC 6749 §4.1.3", redirect_uri_compared),
    Check("code-client", "RFC 6749 §4.1.3", code_belongs_to_a_client),
    Check("token-client", "RFC 6749 §5.2", unknown_client_refused),
    Check("token-repeated", "RFC 6749 §3.2", repeated_parameters_refused),
    Check("token-query", "RFC 6749 §3.2", query_is_no_body),
    Check("token-get", "RFC 6749 §3.2", only_post),
    Check("no-store", "RFC 6749 §5.1", tokens_are_not_stored),
    Check("no-store-error", "RFC 6749 §5.2", errors_are_not_stored),
    Check("password", "RFC 9700 §2.4", passwords_refused),
    Check("service-public", "RFC 6749 §4.4", public_client_is_no_service),
)

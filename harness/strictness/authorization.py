"""What the authorization endpoint puts up with: RFC 6749 §3.1 and §4.1, RFC 7636, RFC 9207, RFC 9700."""

from __future__ import annotations

from urllib.parse import urlsplit

from harness.strictness import forgery
from harness.strictness.probe import Browser, Landing, Probe
from harness.strictness.verdict import Absent, Check, Unclear, Verdict

STRANGE = "a b&c=d\"é'<>"
SCRIPT = "<script>alert(1)</script>"
EVIL = "https://evil.example/callback"
PRESERVES_THE_FORM = (307, 308)


def pkce_required(probe: Probe) -> Verdict:
    """A public client gets no code without PKCE."""
    landing = probe.authorize(probe.asked(code_challenge=None, code_challenge_method=None))
    return _no_code(landing)


def plain_refused(probe: Probe) -> Verdict:
    """The challenge method plain is refused."""
    landing = probe.authorize(probe.asked(code_challenge="p" * 43, code_challenge_method="plain"))
    return _no_code(landing)


def only_s256_announced(probe: Probe) -> Verdict:
    """The metadata announce S256 and nothing weaker."""
    methods = probe.metadata.get("code_challenge_methods_supported")
    return Verdict.of(strict=methods == ["S256"], evidence=f"code_challenge_methods_supported: {methods}")


def stranger_gets_nothing(probe: Probe) -> Verdict:
    """A stranger's redirect_uri is never redirected to."""
    landing = probe.authorize(probe.asked(redirect_uri=EVIL))
    return Verdict.of(strict=landing.address is None, evidence=landing)


def exact_redirect_uri(probe: Probe) -> Verdict:
    """A redirect_uri that only resembles a registered one is refused."""
    registered = urlsplit(probe.application.redirect_uri)
    origin, path = f"{registered.scheme}://{registered.netloc}", registered.path
    variants = (
        f"{registered.scheme}://{registered.hostname}.evil.example{path}",
        f"{registered.scheme}://{registered.hostname}@evil.example{path}",
        f"{registered.scheme}://evil.example{path}",
        f"{origin}{path}/../other",
        f"{origin}{path}/more",
        f"{origin}{path}?more=1",
        f"{origin}{path}#more",
        f"{origin}{path}%2f..%2fother",
        f"{origin}{path.upper()}",
    )
    taken = [
        landing.address
        for landing in (probe.authorize(probe.asked(redirect_uri=variant)) for variant in variants)
        if landing.address is not None
    ]
    return Verdict.of(strict=not taken, evidence=taken[0] if taken else f"{len(variants)} variants refused")


def unknown_client_refused(probe: Probe) -> Verdict:
    """An unknown client's redirect_uri is not redirected to."""
    landing = probe.authorize(probe.asked(client_id="nobody-has-registered-this"))
    return Verdict.of(strict=landing.address is None, evidence=landing)


def repeated_parameters_refused(probe: Probe) -> Verdict:
    """A request with a repeated parameter is refused."""
    for name in ("state", "scope", "redirect_uri", "client_id"):
        asked = probe.asked()
        landing = probe.authorize([*asked.items(), (name, asked[name])])
        if "code" in landing.told:
            return Verdict.of(strict=False, evidence=f"{name} twice: {landing}")
    return Verdict.of(strict=True, evidence="state, scope, redirect_uri and client_id")


def implicit_refused(probe: Probe) -> Verdict:
    """No token is given out in an address."""
    for wanted in ("token", "id_token", "id_token token", "code token"):
        landing = probe.authorize(probe.asked(response_type=wanted))
        if landing.told.keys() & {"access_token", "id_token"}:
            return Verdict.of(strict=False, evidence=f"{wanted}: {landing}")
    return Verdict.of(strict=True, evidence="no token in any address")


def issuer_in_responses(probe: Probe) -> Verdict:
    """The answer with a code names its issuer."""
    landing = probe.authorize(probe.asked())
    if "code" not in landing.told:
        raise Unclear("an honest request got no code", evidence=str(landing))
    return Verdict.of(strict=landing.told.get("iss") == probe.application.issuer, evidence=landing.told.keys())


def issuer_in_errors(probe: Probe) -> Verdict:
    """The answer with an error names its issuer."""
    landing = _error(probe)
    return Verdict.of(strict=landing.told.get("iss") == probe.application.issuer, evidence=landing)


def state_comes_back(probe: Probe) -> Verdict:
    """state comes back as it was."""
    landing = probe.authorize(probe.asked(state=STRANGE))
    if landing.address is None:
        raise Unclear("a request with an unusual state was refused", evidence=str(landing))
    return Verdict.of(strict=landing.told.get("state") == STRANGE, evidence=landing.told.get("state"))


def state_comes_back_in_errors(probe: Probe) -> Verdict:
    """state comes back with an error, too."""
    landing = _error(probe, state=STRANGE)
    return Verdict.of(strict=landing.told.get("state") == STRANGE, evidence=landing)


def nothing_is_echoed(probe: Probe) -> Verdict:
    """No page repeats a parameter as HTML."""
    landings = [
        probe.authorize(probe.asked(**{name: SCRIPT}))
        for name in ("client_id", "redirect_uri", "scope", "state", "response_type", "prompt")
    ]
    pages = [answer for landing in landings for answer in landing.responses]
    echoed = [page.text for page in pages if SCRIPT in page.text and "html" in page.headers.get("content-type", "")]
    return Verdict.of(strict=not echoed, evidence=echoed[0] if echoed else "no parameter as it came")


def page_cannot_be_framed(probe: Probe) -> Verdict:
    """The sign-in page cannot be framed."""
    browser = Browser(probe.application)
    page = browser.visit(probe.endpoint("authorization"), [*probe.asked().items()], signs_in=False)
    if page.address is not None:
        raise Absent("it shows no page")
    policy, options = (page.page.headers.get(name, "") for name in ("content-security-policy", "x-frame-options"))
    strict = "frame-ancestors" in policy or options.lower() in ("deny", "sameorigin")
    return Verdict.of(strict=strict, evidence=f"CSP: {policy or 'none'}; X-Frame-Options: {options or 'none'}")


def form_is_not_passed_on(probe: Probe) -> Verdict:
    """The sign-in form is not passed on by a redirect."""
    posted = [answer for answer in probe.authorize(probe.asked()).responses if answer.request.method == "POST"]
    if not posted:
        raise Absent("it shows no form")
    statuses = [answer.status_code for answer in posted]
    return Verdict.of(strict=not {*statuses} & {*PRESERVES_THE_FORM}, evidence=f"answers to forms: {statuses}")


def hint_at_another_refused(probe: Probe) -> Verdict:
    """A hint at somebody else gets no code without a page."""
    browser = Browser(probe.application)
    told = probe.tokens(by=browser)
    if "id_token" not in told:
        raise Absent("it gives out no ID tokens")
    if "code" not in probe.authorize(probe.asked(prompt="none", scope="openid"), by=browser).told:
        raise Absent("it does not answer prompt=none with a code")
    hint = forgery.unsigned(told["id_token"], sub="somebody-else")
    return _no_code(probe.authorize(probe.asked(prompt="none", scope="openid", id_token_hint=hint), by=browser))


def _no_code(landing: Landing) -> Verdict:
    return Verdict.of(strict="code" not in landing.told, evidence=landing)


def _error(probe: Probe, **changes: str) -> Landing:
    """Any error that is told to the client."""
    mistakes: tuple[dict[str, str | None], ...] = (
        {"prompt": "none"},
        {"code_challenge": None, "code_challenge_method": None},
        {"response_type": "nonsense"},
        {"scope": "nonsense"},
    )
    for mistake in mistakes:
        landing = probe.authorize(probe.asked(**mistake | changes))
        if "error" in landing.told:
            return landing
    raise Absent("it tells clients of no error")


CHECKS = (
    Check("pkce-required", "RFC 9700 §2.1.1", pkce_required),
    Check("pkce-plain", "RFC 9700 §2.1.1", plain_refused),
    Check("pkce-announced", "RFC 8414 §2", only_s256_announced),
    Check("redirect-stranger", "RFC 9700 §4.11", stranger_gets_nothing),
    Check("redirect-exact", "RFC 9700 §2.1", exact_redirect_uri),
    Check("client-unknown", "RFC 6749 §4.1.2.1", unknown_client_refused),
    Check("authorize-repeated", "RFC 6749 §3.1", repeated_parameters_refused),
    Check("implicit", "RFC 9700 §2.1.2", implicit_refused),
    Check("iss", "RFC 9207 §2", issuer_in_responses),
    Check("iss-error", "RFC 9207 §2", issuer_in_errors),
    Check("state", "RFC 6749 §4.1.2", state_comes_back),
    Check("state-error", "RFC 6749 §4.1.2.1", state_comes_back_in_errors),
    Check("echo", "RFC 6749 §10.14", nothing_is_echoed),
    Check("framing", "RFC 6749 §10.13", page_cannot_be_framed),
    Check("307", "RFC 9700 §4.12", form_is_not_passed_on),
    Check("hint-other", "OIDC Core §3.1.2.1", hint_at_another_refused),
)

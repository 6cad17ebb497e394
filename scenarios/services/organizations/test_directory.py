"""How the identity provider is told: with one token for many calls, and an error for whatever goes wrong."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from services.organizations.directory import Account, Directory, Newcomer
from services.shared.problems import BadGateway, Unavailable

ADA = Account("usr_1", "org_1", "agent")
MIRA = Newcomer("one:mira@x.example", "Mira", "mira@x.example", "org_1", "viewer")
Told = httpx.Response | Exception


class Provider(httpx.BaseTransport):
    """An identity provider that answers each kind of request as told, the last answer again and again."""

    def __init__(
        self,
        *,
        tokens: list[Told] | None = None,
        patches: list[Told] | None = None,
        posts: list[Told] | None = None,
        gets: list[Told] | None = None,
    ) -> None:
        self.answers = {
            "TOKEN": tokens or [issued("one")],
            "PATCH": patches or [],
            "POST": posts or [],
            "GET": gets or [],
        }
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        left = self.answers["TOKEN" if request.url.path == "/token" else request.method]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def issued(token: str, expires_in: int = 600) -> httpx.Response:
    return httpx.Response(200, json={"access_token": token, "expires_in": expires_in, "token_type": "Bearer"})


def test_one_token_serves_many_changes() -> None:
    provider = Provider(tokens=[issued("one"), issued("two")], patches=[httpx.Response(200)])
    directory = Directory("http://localhost:1", "the secret", transport=provider)
    for user_id in ("usr_1", "usr/../2"):
        directory.set_role(Account(user_id, "org_1", "agent"))
    assert [each.method for each in provider.asked] == ["POST", "PATCH", "PATCH"]
    assert [each.headers["authorization"] for each in provider.asked[1:]] == ["Bearer one"] * 2
    assert provider.asked[2].url.raw_path == b"/scim/v2/Users/usr%2F..%2F2"
    directory.close()


def test_a_token_that_has_expired_is_not_used() -> None:
    provider = Provider(tokens=[issued("one", expires_in=1), issued("two")], patches=[httpx.Response(200)])
    directory = Directory("http://localhost:1", "the secret", transport=provider)
    directory.set_role(ADA)
    directory.set_role(ADA)
    assert [each.headers["authorization"] for each in provider.asked if each.method == "PATCH"] == [
        "Bearer one", "Bearer two",
    ]  # fmt: skip


def test_a_kept_token_is_renewed_once_and_a_new_one_never() -> None:
    yes, no = httpx.Response(200), httpx.Response(401)
    provider = Provider(tokens=[issued("one"), issued("two")], patches=[yes, no, yes, no])
    directory = Directory("http://localhost:1", "the secret", transport=provider)
    directory.set_role(ADA)
    directory.set_role(ADA)
    assert len(provider.asked) == 5
    with pytest.raises(BadGateway):
        directory.set_role(ADA)
    assert [each.method for each in provider.asked[5:]] == ["PATCH", "POST", "PATCH"]


@pytest.mark.parametrize("where", ["token", "patch"])
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ReadTimeout("slow"), Unavailable),
        (httpx.RemoteProtocolError("cut off"), Unavailable),
        (httpx.Response(503), Unavailable),
        (httpx.Response(429), Unavailable),
        (httpx.Response(400, json={"error": "invalid_client"}), BadGateway),
        (httpx.Response(403), BadGateway),
        (httpx.Response(302, headers={"Location": "http://evil.example/"}), BadGateway),
    ],
)
def test_what_goes_wrong_is_told_for_what_it_is(where: str, answer: Any, problem: type[Exception]) -> None:
    good = httpx.Response(200)
    provider = Provider(
        tokens=[answer if where == "token" else issued("one")], patches=[answer if where == "patch" else good]
    )
    with pytest.raises(problem) as told:
        Directory("http://localhost:1", "the secret", transport=provider).set_role(ADA)
    assert "the secret" not in str(told.value)
    assert all(each.url.host == "localhost" for each in provider.asked)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"access_token": 1, "expires_in": 2}', b"\xff"])
def test_an_answer_that_is_no_token_is_told_so(content: bytes) -> None:
    provider = Provider(tokens=[httpx.Response(200, content=content)], patches=[httpx.Response(200)])
    with pytest.raises(BadGateway):
        Directory("http://localhost:1", "the secret", transport=provider).set_role(ADA)


def changes(provider: Provider) -> list[tuple[str, Any]]:
    return [(each.method, json.loads(each.content or b"null")) for each in provider.asked if each.url.path != "/token"]


def test_a_change_is_one_in_the_organization_of_the_role() -> None:
    provider = Provider(patches=[httpx.Response(200)])
    Directory("http://localhost:1", "the secret", transport=provider).deactivate(ADA)
    ((method, body),) = changes(provider)
    assert (method, body["Operations"]) == (
        "PATCH",
        [
            {"op": "replace", "path": 'roles[type eq "org_1"].value', "value": "agent"},
            {"op": "replace", "path": 'roles[type eq "org_1"].active', "value": False},
        ],
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(404), "does not know"),
        (httpx.Response(400, json={"scimType": "noTarget"}), "does not know this member in the organization"),
        (httpx.Response(400, json={"scimType": "invalidValue"}), "refused a deactivation"),
        (httpx.Response(400, content=b"nonsense"), "refused a deactivation"),
        (httpx.Response(400, json=[]), "refused a deactivation"),
    ],
)
def test_whoever_the_provider_does_not_know_there_is_told_of(answer: httpx.Response, says: str) -> None:
    provider = Provider(patches=[answer])
    with pytest.raises(BadGateway, match=says):
        Directory("http://localhost:1", "the secret", transport=provider).deactivate(ADA)


def test_somebody_new_is_made_inactive() -> None:
    provider = Provider(posts=[httpx.Response(201, json={"id": "usr_9", "userName": "one:mira@x.example"})])
    assert Directory("http://localhost:1", "the secret", transport=provider).enrol(MIRA) == "usr_9"
    ((method, body),) = changes(provider)
    assert method == "POST"
    assert (body["userName"], body["active"]) == ("one:mira@x.example", False)
    assert body["roles"] == [{"value": "viewer", "type": "org_1"}]


def test_an_account_whose_making_was_not_heard_of_is_found_again_and_put_in_step() -> None:
    provider = Provider(
        posts=[httpx.Response(409)],
        gets=[httpx.Response(200, json={"totalResults": 1, "Resources": [{"id": "usr_9"}]})],
        patches=[httpx.Response(200)],
    )
    assert Directory("http://localhost:1", "the secret", transport=provider).enrol(MIRA) == "usr_9"
    assert [method for method, _ in changes(provider)] == ["POST", "GET", "PATCH"]
    asked = next(each for each in provider.asked if each.method == "GET")
    assert asked.url.params["filter"] == 'userName eq "one:mira@x.example"'
    assert provider.asked[-1].url.path == "/scim/v2/Users/usr_9"


@pytest.mark.parametrize(
    ("posts", "gets"),
    [
        (httpx.Response(201, json={}), None),
        (httpx.Response(201, content=b"nonsense"), None),
        (httpx.Response(400, json={"scimType": "invalidValue"}), None),
        (httpx.Response(409), httpx.Response(200, json={"Resources": []})),
        (httpx.Response(409), httpx.Response(200, json={"Resources": "x"})),
        (httpx.Response(409), httpx.Response(403)),
        (httpx.Response(409), httpx.Response(200, json={"Resources": [{"id": "usr_9"}]})),
    ],
)
def test_an_account_that_is_neither_made_nor_found_is_told_of(posts: httpx.Response, gets: httpx.Response) -> None:
    elsewhere = httpx.Response(400, json={"scimType": "noTarget"})
    provider = Provider(posts=[posts], gets=[gets], patches=[elsewhere])
    with pytest.raises(BadGateway):
        Directory("http://localhost:1", "the secret", transport=provider).enrol(MIRA)

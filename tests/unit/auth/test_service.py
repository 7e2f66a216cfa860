"""What a credential is, who stands behind it, and how long that is remembered."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.api_tokens.schemas import ApiToken, hash_of
from lisa.auth.jwt import Identity
from lisa.auth.schemas import AuthType, GroupSettings
from lisa.auth.service import MANAGEMENT_USERNAME, MAX_CREDENTIAL_LENGTH, Authenticator, credential_of
from lisa.errors import ForbiddenError, UnauthorizedError, UnavailableError

RAW = "a" * 128
JWT = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"
GROUPS = GroupSettings(admin_group="admin", user_group="", rag_admin_group="rag-admin", api_group="api")


class World:
    """Everything an authenticator asks, on a clock that the test moves."""

    def __init__(self, user_group: str = "") -> None:
        self.time = 1_000_000.0
        self.reads: list[str] = []
        self.rows: dict[str, ApiToken] = {}
        self.management: tuple[str, ...] | None = ("current-key", "previous-key")
        self.identity = Identity("ada", frozenset({"user"}), self.time + 300)
        groups = GROUPS.model_copy(update={"user_group": user_group})
        self.auth = Authenticator(self.read_management, self, self, groups, lambda: self.time)
        self.add(RAW)

    def add(self, raw: str, **changes: object) -> None:
        row = {"token": hash_of(raw), "tokenUUID": "u", "tokenExpiration": int(self.time) + 3600, "username": "bot"}
        self.rows[hash_of(raw)] = ApiToken.model_validate({**row, "groups": ["api"], **changes})

    def read_management(self) -> tuple[str, ...]:
        self.reads.append("management")
        if self.management is None:
            raise UnavailableError("down")
        return self.management

    def get(self, token_hash: str) -> ApiToken | None:
        self.reads.append("row")
        return self.rows.get(token_hash)

    def verify(self, token: str) -> Identity:
        self.reads.append("jwt")
        if token != JWT:
            raise UnauthorizedError("bad")
        return self.identity


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ({"authorization": "Bearer x"}, "x"),
        ({"authorization": "bearer  x "}, "x"),
        ({"authorization": "x"}, "x"),
        ({"api-key": "x"}, "x"),
        ({"x-api-key": "Bearer x"}, "x"),
        ({"authorization": "a", "api-key": "b"}, "a"),
        ({"authorization": "", "api-key": "b"}, "b"),
        ({"authorization": "Bearer ", "x-api-key": "b"}, "b"),
        ({"authorization": "Basic abc"}, "Basic abc"),
        ({}, None),
        ({"authorization": "  "}, None),
    ],
)
def test_credential_is_found_in_each_header(headers: dict[str, str], credential: str | None) -> None:
    assert credential_of(headers.get) == credential


@pytest.mark.parametrize("key", ["current-key", "previous-key"])
def test_both_versions_of_the_management_key_are_an_admin(key: str) -> None:
    caller = World().auth.authenticate(key)
    assert (caller.username, caller.is_admin, caller.auth_type) == (MANAGEMENT_USERNAME, True, AuthType.MANAGEMENT)


def test_empty_management_key_opens_nothing() -> None:
    world = World()
    world.management = ("",)
    for credential in ("", "x"):
        with pytest.raises(UnauthorizedError):
            world.auth.authenticate(credential)


def test_api_token_has_the_groups_of_its_row() -> None:
    caller = World().auth.authenticate(RAW)
    assert (caller.username, sorted(caller.groups), caller.auth_type) == ("bot", ["api"], AuthType.API_TOKEN)
    assert (caller.is_admin, caller.may_issue_tokens) == (False, True)


def test_caller_knows_the_key_that_was_used() -> None:
    world = World()
    ids = [world.auth.authenticate(credential).key_id for credential in (RAW, "current-key", JWT)]
    assert ids == ["u", "management", None]


def test_hash_of_a_token_is_not_a_credential() -> None:
    with pytest.raises(UnauthorizedError):
        World().auth.authenticate(hashlib.sha256(RAW.encode()).hexdigest())


@pytest.mark.parametrize(
    "changes", [{"tokenUUID": None}, {"tokenUUID": ""}, {"tokenExpiration": None}, {"tokenExpiration": 0}]
)
def test_row_of_an_old_release_opens_nothing(changes: dict[str, object]) -> None:
    world = World()
    world.add("old", **changes)
    with pytest.raises(UnauthorizedError):
        world.auth.authenticate("old")


def test_expired_api_token_says_so() -> None:
    world = World()
    world.add("old", tokenExpiration=int(world.time))
    with pytest.raises(UnauthorizedError, match="expired"):
        world.auth.authenticate("old")


def test_jwt_goes_to_the_verifier_alone() -> None:
    world = World()
    assert world.auth.authenticate(JWT).username == "ada"
    assert world.reads == ["jwt"]


def test_api_token_is_accepted_while_the_identity_provider_is_not_asked() -> None:
    world = World()
    world.auth.authenticate(RAW)
    assert "jwt" not in world.reads


@pytest.mark.parametrize(
    "credential", ["", " ", "a b", "a\x00b", "a\nb", "é", "\ud800", "a" * (MAX_CREDENTIAL_LENGTH + 1)]
)
def test_malformed_credential_is_refused_without_asking_anybody(credential: str) -> None:
    world = World()
    with pytest.raises(UnauthorizedError):
        world.auth.authenticate(credential)
    assert world.reads == []
    assert world.auth.peek(credential) is None


def test_peek_knows_only_who_was_authenticated() -> None:
    world = World()
    assert world.auth.peek(RAW) is None
    caller = world.auth.authenticate(RAW)
    assert world.auth.peek(RAW) == caller
    assert world.auth.peek(RAW + "x") is None


def test_caller_is_remembered_for_a_minute() -> None:
    world = World()
    world.auth.authenticate(RAW)
    asked = len(world.reads)
    world.time += 59
    world.auth.authenticate(RAW)
    assert len(world.reads) == asked
    world.rows.clear()
    world.time += 2
    with pytest.raises(UnauthorizedError):
        world.auth.authenticate(RAW)


def test_caller_is_never_remembered_beyond_the_expiry() -> None:
    world = World()
    world.add("short", tokenExpiration=int(world.time) + 10)
    world.auth.authenticate("short")
    world.time += 10
    assert world.auth.peek("short") is None
    with pytest.raises(UnauthorizedError, match="expired"):
        world.auth.authenticate("short")


def test_refusal_is_forgotten_soon() -> None:
    world = World()
    for _ in range(5):
        with pytest.raises(UnauthorizedError):
            world.auth.authenticate("new")
    assert world.reads.count("row") == 1
    world.add("new")
    world.time += 5
    assert world.auth.authenticate("new").username == "bot"


def test_rotated_management_key_is_noticed_within_half_a_minute() -> None:
    world = World()
    world.auth.authenticate("current-key")
    world.management = ("new-key", "current-key")
    world.time += 31
    assert world.auth.authenticate("new-key").is_admin


def test_withdrawn_management_key_is_refused_within_five_minutes() -> None:
    world = World()
    world.auth.authenticate("previous-key")
    world.management = ("current-key",)
    world.time += 301
    with pytest.raises(UnauthorizedError):
        world.auth.authenticate("previous-key")


def test_management_key_stays_good_while_the_secret_cannot_be_read() -> None:
    world = World()
    world.auth.authenticate("current-key")
    world.management = None
    world.time += 301
    assert world.auth.authenticate("current-key").is_admin


def test_jwt_is_accepted_while_the_secret_cannot_be_read() -> None:
    world = World()
    world.management = None
    assert world.auth.authenticate(JWT).username == "ada"
    with pytest.raises(UnavailableError):
        world.auth.authenticate(RAW)


def test_user_group_admits_members_admins_and_api_tokens_only() -> None:
    world = World(user_group="staff")
    with pytest.raises(ForbiddenError, match="staff"):
        world.auth.authenticate(JWT)
    assert world.auth.peek(JWT) is None
    for group in ("staff", "admin"):
        world.identity = Identity("ada", frozenset({group}), world.time + 300)
        world.auth = Authenticator(
            world.read_management, world, world, GROUPS.model_copy(update={"user_group": "staff"}), lambda: world.time
        )
        assert world.auth.authenticate(JWT).username == "ada"
    assert world.auth.authenticate(RAW).username == "bot"


@given(st.text(max_size=300))
def test_no_text_is_accepted_by_chance(text: str) -> None:
    with pytest.raises(UnauthorizedError):
        World().auth.authenticate(text)

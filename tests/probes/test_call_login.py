"""`call` with credentials: a challenge answered once, a refusal remembered by the whole run."""

import asyncio
import hashlib
import re
from collections.abc import Sequence

import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.sweep import RunAccounts
from tests.peers.hostile_callee import Callee, Script, callee, polite, tagged
from tests.peers.hostile_sip import response
from tests.probes.call_runs import Said, parameters, place

USERNAME, PASSWORD = "probe", "s3cret"
NONCE = "84a4cc6f3082121f32b42a2187831a9e"
ASKS = f'WWW-Authenticate: Digest realm="lab", nonce="{NONCE}", algorithm=MD5, qop="auth"'


@pytest.fixture(autouse=True)
def short_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.call.CLEANUP_S", 1.6)


def call(
    script: Script, *, password: str = PASSWORD, times: int = 1, username: str | None = USERNAME
) -> tuple[list[Said], Callee]:
    """Calls one after another, in one run."""

    async def scene() -> tuple[list[Said], Callee]:
        accounts = RunAccounts()
        async with callee(script) as far:
            asked = parameters(far.port, duration_s=0.1, ring_timeout_s=2.0, username=username)
            said = []
            for _ in range(times):
                far.invite = b""
                said.append(await place(asked, password=password, accounts=accounts))
            return said, far

    return asyncio.run(scene())


def digest(data: bytes, header: str, method: str, password: str = PASSWORD) -> bool:
    """Whether the credentials are good, by the formula of RFC 7616 section 3.4.1 alone."""
    found = re.search(rf"\r\n{header}: Digest ([^\r]*)".encode(), data)
    if found is None:
        return False
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', found[1].decode()))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    ha1 = md5(f"{USERNAME}:{given['realm']}:{password}")
    ha2 = md5(f"{method}:{data.split(b' ')[1].decode()}")
    expected = md5(f"{ha1}:{NONCE}:{given['nc']}:{given['cnonce']}:auth:{ha2}")
    return (given["response"], given["username"]) == (expected, USERNAME)


def challenging(
    *, status: str = "401 Unauthorized", asks: str = ASKS, header: str = "Authorization",
    methods: Sequence[str] = ("INVITE",), then: Script = polite,
) -> Script:  # fmt: skip
    """Challenges these methods until the digest is good."""

    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method in methods and not digest(data, header, method):
            return [tagged(response(data, status, more=asks))]
        if method == "INVITE":
            far.invite = data
        return then(far, method, data)

    return script


@pytest.mark.parametrize(
    ("status", "asks", "header"),
    [("401 Unauthorized", ASKS, "Authorization"),
     ("407 Proxy Authentication Required", ASKS.replace("WWW", "Proxy"), "Proxy-Authorization")],
)  # fmt: skip
def test_a_challenge_is_answered(status: str, asks: str, header: str) -> None:
    (said,), far = call(challenging(status=status, asks=asks, header=header))
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_status_code") == 200
    login = said.one("sip_authenticated")
    assert login.value is True
    assert (login.method["realm"], login.method["algorithm"]) == ("lab", "MD5")
    assert far.methods == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
    assert said.one("answer_delay_s").method["authenticated"] is True
    assert said.number("rtp_packets_sent", direction="forward") > 0


def test_a_wrong_password_is_tried_once_in_a_run() -> None:
    (first, second), far = call(challenging(), password="wrong", times=2)
    assert first.end == (Outcome.FAILED, Failure.AUTH)
    assert first.value("sip_authenticated") is False
    assert first.value("sip_status_code") == 401
    assert far.methods == ["INVITE", "ACK", "INVITE", "ACK", "INVITE", "ACK"]
    assert second.end == (Outcome.FAILED, Failure.AUTH)
    assert second.value("sip_authenticated") is None
    assert "not tried again" in str(second.one("sip_authenticated").method["reason"])


def test_without_credentials_the_challenge_is_the_answer() -> None:
    (said,), far = call(challenging(), password="", username=None)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_status_code") == 401
    assert said.value("sip_authenticated") is None
    assert far.methods == ["INVITE", "ACK"]


def test_a_403_counts_as_a_refusal() -> None:
    def forbidding(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method != "INVITE":
            return []
        status = "403 Forbidden" if b"\r\nAuthorization:" in data else "401 Unauthorized"
        return [tagged(response(data, status, more=ASKS))]

    (first, second), far = call(forbidding, times=2)
    assert first.end == (Outcome.FAILED, Failure.AUTH)
    assert first.value("sip_authenticated") is False
    assert second.value("sip_authenticated") is None
    assert far.methods.count("INVITE") == 3, "no third with credentials"


@pytest.mark.parametrize("stale", [1, 50])
def test_a_stale_nonce_is_replaced_once(stale: int) -> None:
    left = [stale]

    def forgetful(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "INVITE":
            if b"\r\nAuthorization:" not in data:
                return [tagged(response(data, "401 Unauthorized", more=ASKS))]
            if left[0]:
                left[0] -= 1
                more = ASKS + ", stale=true"
                return [tagged(response(data, "401 Unauthorized", more=more))]
            far.invite = data
        return polite(far, method, data)

    (said,), far = call(forgetful)
    if stale == 1:
        assert said.end == (Outcome.COMPLETED, None)
        assert said.value("sip_authenticated") is True
        assert said.one("sip_authenticated").method["stale_nonce"] is True
    else:
        assert said.end == (Outcome.FAILED, Failure.AUTH)
    assert far.methods.count("INVITE") == 3


def test_bye_and_prack_are_authorized_where_a_proxy_asks() -> None:
    def reliable(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "INVITE":
            return [far.answer("183 Session Progress", body="", more="Require: 100rel\r\nRSeq: 9")]
        if method == "PRACK":
            return [tagged(response(data)), far.answer()]
        return polite(far, method, data)

    script = challenging(
        status="407 Who", asks=ASKS.replace("WWW", "Proxy"), header="Proxy-Authorization",
        methods=("INVITE", "PRACK", "BYE"), then=reliable,
    )  # fmt: skip
    (said,), far = call(script)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_bye_status_code") == 200
    assert said.value("sip_prack_count") == 1
    assert far.methods == [
        "INVITE", "ACK", "INVITE", "PRACK", "PRACK", "ACK", "BYE", "BYE",
    ]  # fmt: skip


def test_a_bye_that_is_refused_leaves_a_call_that_was_held() -> None:
    def never(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "BYE":
            return [tagged(response(data, "407 Who", more=ASKS.replace("WWW", "Proxy")))]
        return polite(far, method, data)

    (said,), far = call(challenging(then=never))
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_bye_status_code") == 407
    assert far.methods.count("BYE") == 2


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ('WWW-Authenticate: Digest realm="lab"', "the challenge cannot be read"),
        ("WWW-Authenticate: Basic realm=lab", "no challenge that can be answered"),
        ('WWW-Authenticate: Digest realm="lab",nonce="1",algorithm=ROT13', "no challenge that can"),
        ("Server: x", "no challenge that can be answered"),
    ],
)
def test_a_challenge_that_cannot_be_answered(asks: str, words: str) -> None:
    (said,), far = call(challenging(asks=asks))
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_status_code") == 401
    login = said.one("sip_authenticated")
    assert login.value is None
    assert words in str(login.method["reason"])
    assert far.methods == ["INVITE", "ACK"]


def test_a_check_that_is_stopped_while_it_logs_in_gives_the_account_back() -> None:
    """The turn ends with the check; the next one has it at once."""

    def mute(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "INVITE" and b"\r\nAuthorization:" not in data:
            return [tagged(response(data, "401 Unauthorized", more=ASKS))]
        return []

    async def scene() -> tuple[Said, bool]:
        accounts = RunAccounts()
        async with callee(mute) as far:
            asked = parameters(far.port, ring_timeout_s=20.0, username=USERNAME)
            said = await place(asked, password=PASSWORD, accounts=accounts, cut_after_s=0.4)
            async with asyncio.timeout(1), accounts.attempt("probe by CALL_PASSWORD") as turn:
                return said, turn is not None

    said, free = asyncio.run(scene())
    assert free
    assert said.value("sip_authenticated") is None
    assert said.completion is None

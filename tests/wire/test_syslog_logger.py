"""Messages as util-linux's logger sends them, read by the codec; bsdutils is on every Debian."""

import io
import socket
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from nethealth.wire.syslog import Message, Years, frames, parse

COMMON = ("-t", "hall-pbx", "-p", "local4.notice", "--server", "127.0.0.1")


def sent(*arguments: str) -> list[Message]:
    """What one call of logger sends by UDP."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        port = str(server.getsockname()[1])
        subprocess.run(
            ["logger", *COMMON, "--udp", "--port", port, *arguments], check=True, timeout=20
        )
        return [parse(server.recv(65536), Years(datetime.now(UTC).year))]


def test_rfc_5424() -> None:
    [one] = sent(
        "--rfc5424", "--id=77", "--msgid", "ID47", "--sd-id", "x@32473", "--sd-param", 'a="b c"',
        "hello world",
    )  # fmt: skip
    assert (one.form, one.facility, one.severity) == ("rfc5424", 20, 5)
    assert (one.program, one.process, one.message_id) == ("hall-pbx", "77", "ID47")
    assert one.structured["x@32473"] == {"a": "b c"}
    assert "timeQuality" in one.structured
    assert one.text == "hello world"
    assert abs(one.time - datetime.now(UTC)) < timedelta(minutes=5)


def test_rfc_3164() -> None:
    [one] = sent("--rfc3164", "--id=77", "hello world")
    assert (one.form, one.facility, one.severity) == ("rfc3164", 20, 5)
    assert (one.program, one.process, one.text) == ("hall-pbx", "77", "hello world")
    assert one.host == socket.gethostname().partition(".")[0]
    assert one.time.tzinfo is None


@pytest.mark.parametrize("form", ["--rfc5424", "--rfc3164"])
def test_octet_counting_by_tcp(form: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(20)
        port = str(server.getsockname()[1])
        command = ["logger", *COMMON, "--tcp", "--octet-count", form, "--port", port]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            process.stdin.write(b"first of two\nsecond of two\n")
            process.stdin.close()
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as file:
                stream = file.read()
    assert process.returncode == 0
    read = [parse(one.octets, Years(2026)) for one in frames(io.BytesIO(stream))]
    assert [one.text for one in read] == ["first of two", "second of two"]

"""baresip as a telephone that answers by itself and sends back the audio that it hears.

Its audio is bridged from its player to its source, so that what it sends is a stream of its own:
it goes on, silent, while nothing is heard.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.process import Process, running

_CONFIG = """poll_method epoll
sip_listen {listen}
sip_transports udp,tcp,tls
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
statmode_default off
audio_player aubridge,nil
audio_source aubridge,nil
audio_alert aubridge,nil
rtp_ports {first}-{last}
rtp_stats yes
jitter_buffer_delay 1-5
net_interface {address}
"""
_ACCOUNT = "<sip:echo@{at}>;{register};answermode={mode};audio_codecs=pcma,pcmu\n"
_REGISTER = "regint=60;auth_user=echo;auth_pass={password}"


@dataclass(frozen=True)
class Telephone:
    """A running baresip."""

    process: Process

    def statistics(self) -> dict[str, tuple[int, int]]:
        """Of the last call, as it prints them at its end: packets and lost, sent and received."""
        self.process.wait_until(self._told)
        table = self.process.output().rpartition("Transmit:")[2]
        rows = re.findall(r"^(packets|lost):\s+(\d+)\s+(\d+)", table, re.MULTILINE)
        return {name: (int(sent), int(received)) for name, sent, received in rows}

    def _told(self) -> bool:
        """Whether it has printed the table of every call that it answered."""
        said = self.process.output()
        return 0 < said.count(": Call established:") <= said.count("jitter:")


@contextmanager
def telephone(
    folder: Path,
    address: str,
    port: int,
    *,
    media_port: int,
    folder_name: str = "baresip",
    certificate: Path | None = None,
    registrar: tuple[str, str] | None = None,
    answers: bool = True,
    prefix: Sequence[str] = (),
) -> Iterator[Telephone]:
    """A telephone for the length of a block; its media stand at `media_port` and the next.

    With a `certificate` (and its key in the same file) it takes TLS at the port after `port`.
    With a `registrar`, `HOST:PORT`, and the password there, it registers. Without
    `answers` it rings, and nobody picks up.
    """
    home = folder / folder_name
    home.mkdir()
    host = f"[{address}]" if ":" in address else address
    (home / "config").write_text(
        _CONFIG.format(
            listen=f"{host}:{port}",
            first=media_port,
            last=media_port + 20,
            address=address,
        )
    )
    if certificate is not None:
        with (home / "config").open("a") as config:
            config.write(f"sip_certificate {certificate}\n")
    at, password = registrar or (host, "")
    mode = "auto" if answers else "manual"
    register = _REGISTER.format(password=password) if registrar else "regint=0"
    (home / "accounts").write_text(_ACCOUNT.format(at=at, register=register, mode=mode))
    (home / "contacts").write_text("")
    with running(
        ("baresip", "-f", str(home), "-v"),
        log=home / "baresip.log",
        prefix=prefix,
        cwd=home,
    ) as process:
        process.wait_until(lambda: "baresip is ready" in process.output())
        if registrar:
            process.wait_until(lambda: "200 OK" in process.output())
        yield Telephone(process)

"""A real SIP server whose behaviour is switched while it runs.

Every file it makes stands in the folder it is given, so that several run side by side; `prefix`
puts it, and the program that switches it, into a network namespace.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.peers.process import PeerError, Process

# "ok", "silent", "slow" (200 after 700 ms: later than T1, so that a retransmission is seen),
# "auth" and "auth-old" (200 to good credentials, by qop=auth and by RFC 2069), or the digits of any
# status code; 503 carries Retry-After and 401 a challenge. In "ok" and "auth" it is a registrar.
_CONFIG = """\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children={children}
auto_aliases=no
dns=no
rev_dns=no
user_agent_header="User-Agent: lab kamailio"
server_header="Server: {name}"
{listen}
{transport}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib64/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "cfgutils.so"
loadmodule "kex.so"
loadmodule "ctl.so"
loadmodule "htable.so"
loadmodule "maxfwd.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
{tls}
modparam("auth", "algorithm", "{algorithm}")
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("ctl", "binrpc", "unix:{control}")
modparam("htable", "htable", "lab=>size=4;")

event_route[htable:mod-init] {{
    $sht(lab=>mode) = "{behaviour}";
}}

request_route {{
{forwarding}
    if (is_method("REGISTER") && $sht(lab=>mode) =~ "^(ok|auth)") {{
        if (!pv_www_authenticate("lab", "{password}", "0") || $au != "{username}") {{
            www_challenge("lab", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if ($sht(lab=>mode) =~ "^auth") {{
        if (!pv_www_authenticate("lab", "{password}", "0") || $au != "{username}") {{
            if ($sht(lab=>mode) == "auth-old") {{
                www_challenge("lab", "0");
            }} else {{
                www_challenge("lab", "1");
            }}
            exit;
        }}
        append_to_reply("Allow: OPTIONS, REGISTER\\r\\n");
        sl_send_reply("200", "OK");
        exit;
    }}
    if ($sht(lab=>mode) == "silent") {{
        drop;
    }}
    if ($sht(lab=>mode) == "slow") {{
        if (t_newtran()) {{
            usleep("700000");
            t_reply("200", "OK");
        }}
        exit;
    }}
    if ($sht(lab=>mode) == "ok") {{
        append_to_reply("Allow: OPTIONS, INVITE, ACK, BYE, CANCEL\\r\\n");
        sl_send_reply("200", "OK");
        exit;
    }}
    if ($sht(lab=>mode) == "503") {{
        append_to_reply("Retry-After: 30\\r\\n");
        sl_send_reply("503", "Service Unavailable");
        exit;
    }}
    if ($sht(lab=>mode) == "401") {{
        append_to_reply("WWW-Authenticate: Digest realm=\\"lab\\", nonce=\\"0a1b2c\\"\\r\\n");
        sl_send_reply("401", "Unauthorized");
        exit;
    }}
    $var(code) = $(sht(lab=>mode){{s.int}});
    sl_send_reply("$var(code)", "As told");
    exit;
}}
"""


_FORWARDING = """\
    if (!mf_process_maxfwd_header("70")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    $du = "sip:{next}";
    t_relay();
    exit;
"""
_TLS = """\
loadmodule "tls.so"
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
modparam("tls", "tls_method", "{method}")
modparam("tls", "cipher_list", "{ciphers}")
"""


ACCOUNT = ("probe", "s3cret of the lab")


class Kamailio:
    """One Kamailio in its own process group, answering from `start` until `stop`.

    `listen` holds Kamailio's own socket names, such as `udp:127.0.0.1:5060` or
    `tls:[::1]:5061`; `certificate` and `key` (PEM files) are needed for the latter. With `old_tls`
    it lets in TLS 1.0 and 1.1 as well. `next_hop` (`127.0.0.1:5060`) makes a proxy of it, which
    sends everything there. `account` is the one that it knows, with its password.
    """

    def __init__(
        self,
        folder: Path,
        listen: Sequence[str],
        *,
        behaviour: str = "ok",
        children: int = 2,
        certificate: Path | None = None,
        key: Path | None = None,
        prefix: Sequence[str] = (),
        algorithm: str = "MD5",
        account: tuple[str, str] = ACCOUNT,
        next_hop: str | None = None,
        old_tls: bool = False,
        name: str = "lab kamailio",
    ) -> None:
        self._folder = folder
        self._control = folder / "control"
        self._prefix = tuple(prefix)
        self._process: Process | None = None
        tls = certificate is not None
        stream = tls or any(name.startswith("tcp:") for name in listen)
        self._config = _CONFIG.format(
            children=children,
            listen="\n".join(f"listen={name}" for name in listen),
            transport="\n".join(
                [f"disable_tcp={'no' if stream else 'yes'}", f"tcp_children={children}"]
                + (["enable_tls=yes"] if tls else [])
            ),
            tls=_TLS.format(
                certificate=certificate,
                key=key,
                method="TLSv1+" if old_tls else "TLSv1.2+",
                ciphers="ALL:@SECLEVEL=0" if old_tls else "DEFAULT",
            )
            if tls
            else "",
            algorithm=algorithm,
            username=account[0],
            password=account[1],
            forwarding=_FORWARDING.format(next=next_hop) if next_hop else "",
            name=name,
            control=self._control,
            behaviour=behaviour,
        )

    def start(self) -> None:
        """Start, and return once the control socket answers: by then the SIP sockets are bound."""
        config = self._folder / "kamailio.cfg"
        config.write_text(self._config)
        self._process = Process(
            [
                *("kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-f", str(config)),
                *("-P", str(self._folder / "pid"), "-Y", str(self._folder)),
            ],
            log=self._folder / "kamailio.log",
            prefix=self._prefix,
        )
        try:
            self._process.wait_until(lambda: self._command("core.uptime").returncode == 0)
        except PeerError:
            self.stop()
            raise

    def behave(self, behaviour: str) -> None:
        """From now on: `ok`, `silent`, `slow`, or a status code such as `503`."""
        done = self._command("htable.sets", "lab", "mode", f"s:{behaviour}")
        if done.returncode != 0:
            raise PeerError(f"kamailio did not take {behaviour!r}: {done.stdout.decode()}")

    def bindings(self) -> str:
        """What stands in the registrar's table, as Kamailio prints it."""
        return self._command("ul.dump").stdout.decode()

    def log(self) -> str:
        """All it has printed so far."""
        return (self._folder / "kamailio.log").read_text(errors="replace")

    def stop(self) -> None:
        """End the process group."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def __enter__(self) -> "Kamailio":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _command(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self._prefix, "kamcmd", "-s", f"unix:{self._control}", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=10,
            check=False,
        )

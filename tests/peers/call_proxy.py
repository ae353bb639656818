"""Kamailio as registrar and proxy for calls: it asks who calls, and stays on the path of the call.

Requests within a call come by the route set that its Record-Route made; what else arrives within
a dialog it refuses, and logs, so that a caller that goes its own way is found out.
"""

from collections.abc import Sequence
from pathlib import Path

from tests.peers.kamailio import Kamailio

PASSWORD = "s3cret-of-the-lab"
CALLER, CALLEE = "probe", "echo"

_CONFIG = """\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=2
auto_aliases=no
dns=no
rev_dns=no
server_header="Server: lab proxy"
{listen}
disable_tcp=no
tcp_children=2
tcp_accept_no_cl=yes
{enable_tls}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib64/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "kex.so"
loadmodule "ctl.so"
loadmodule "xlog.so"
loadmodule "maxfwd.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
{tls}
modparam("usrloc", "db_mode", 0)
modparam("ctl", "binrpc", "unix:{control}")

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{
{within}
            xlog("L_NOTICE", "by the route set: $rm\\n");
            t_relay();
            exit;
        }}
        if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
            exit;
        }}
        xlog("L_NOTICE", "past the route set: $rm\\n");
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("lab", "{password}", "0") || $au != "{callee}") {{
            www_challenge("lab", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("lab", "{password}", "0") || $au != "{caller}" || $fU != $au) {{
            proxy_challenge("lab", "1");
            exit;
        }}
        consume_credentials();
        record_route();
{find}
        xlog("L_NOTICE", "calling $du $ru for $fU\\n");
        t_relay();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""
_LOOK_UP = """\
        if (!lookup("location")) {
            sl_send_reply("404", "Not Found");
            exit;
        }
"""
_ENABLE = "enable_tls=yes"
_TLS = """\
loadmodule "tls.so"
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
modparam("tls", "tls_method", "TLSv1.2+")
"""
_CHALLENGE_BYE = f"""\
            if (is_method("BYE") && !pv_proxy_authenticate("lab", "{PASSWORD}", "0")) {{
                proxy_challenge("lab", "1");
                exit;
            }}
            consume_credentials();
"""


class CallProxy(Kamailio):
    """One such proxy; with `challenges_bye` it asks for credentials within the call, too.

    Calls go to who has registered, or to the URI `behind`.
    """

    def __init__(
        self,
        folder: Path,
        listen: Sequence[str],
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        challenges_bye: bool = False,
        behind: str | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, listen, prefix=prefix)
        tls = certificate is not None
        self._config = _CONFIG.format(
            listen="\n".join(f"listen={name}" for name in listen),
            enable_tls=_ENABLE if tls else "",
            tls=_TLS.format(certificate=certificate, key=key) if tls else "",
            control=self._control,
            password=PASSWORD,
            caller=CALLER,
            callee=CALLEE,
            find=_LOOK_UP if behind is None else f'        $ru = "{behind}";',
            within=_CHALLENGE_BYE if challenges_bye else "",
        )

    def routed(self) -> list[str]:
        """Methods of requests that came within a call, each with how it came, in order."""
        said = [line.rpartition("script>: ")[2] or line for line in self.log().splitlines()]
        return [
            line.partition(" the route set: ")[0].rpartition(" ")[2] + " " + line.rpartition(" ")[2]
            for line in said
            if " the route set: " in line
        ]

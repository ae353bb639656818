"""The forms that a TARGET may have, when it is no id: a host, a port, a URL, a URI, a question."""

from nethealth.inventory import addresses
from nethealth.model.check import ProbeKind
from nethealth.model.inventory import (
    CallOptions,
    DnsOptions,
    HttpOptions,
    SipOptions,
    StampOptions,
    TcpOptions,
)
from nethealth.plan.subject import Subject

TARGET_MAX = 1000  # characters
FORMS = (
    "a host, host:port, [IPv6]:port, https://…, http://…, sip:…, sips:…, dns:name@server, "
    "stamp:host, or the id of an asset or site"
)


def parse_form(text: str) -> tuple[Subject, ProbeKind]:
    """What the text names, and the kind of probe that suits it; raises ValueError with a reason.

    The subject also knows the port for the other kinds, so that `--probe tcp https://x` and
    `--probe sip x:5070` mean what they say.
    """
    if not text:
        raise ValueError(f"an empty target; a target is {FORMS}")
    if len(text) > TARGET_MAX:
        raise ValueError(f"{len(text)} characters; a target has at most {TARGET_MAX}")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError(f"a space or control character; a target is {FORMS}")
    scheme = text.partition(":")[0].lower()
    try:
        match scheme:
            case "http" | "https":
                return _http(text), "http"
            case "sip" | "sips":
                return _sip(text), "sip"
            case "dns":
                return _dns(text), "dns"
            case "stamp":
                return _stamp(text), "stamp"
            case _:
                return _host(text)
    except ValueError as error:
        raise ValueError(f"{error}; a target is {FORMS}") from None


def _http(text: str) -> Subject:
    url = addresses.parse_http_url(text)
    return Subject(
        text,
        url.host,
        http=HttpOptions(url=text),
        tcp=TcpOptions(ports=(url.port,)),
        detailed=False,
    )


def _sip(text: str) -> Subject:
    to = addresses.parse_sip_uri(text)
    return Subject(
        text,
        to.host,
        sip=SipOptions(uri=text),
        call=CallOptions(number=text),
        tcp=TcpOptions(ports=(to.port,)),
        detailed=False,
    )


def _dns(text: str) -> Subject:
    name, at, server = text[len("dns:") :].rpartition("@")
    if not at:
        raise ValueError("no @server after the name")
    host, port = addresses.split_host_port(server)
    question = DnsOptions(names=(addresses.check_domain_name(name),), port=port or 53)
    return Subject(text, host, dns=question, detailed=False)


def _stamp(text: str) -> Subject:
    host, port = addresses.split_host_port(text[len("stamp:") :])
    return Subject(text, host, stamp=StampOptions(port=port or 862), detailed=False)


def _host(text: str) -> tuple[Subject, ProbeKind]:
    host, port = addresses.split_host_port(text)
    if port is None:
        return Subject(text, host), "ping"
    at = f"{addresses.bracketed(host)}:{port}"
    subject = Subject(
        text,
        host,
        tcp=TcpOptions(ports=(port,)),
        http=HttpOptions(url=f"https://{at}/"),
        sip=SipOptions(uri=f"sip:{at}"),
        stamp=StampOptions(port=port),
        detailed=False,
    )
    return subject, "tcp"

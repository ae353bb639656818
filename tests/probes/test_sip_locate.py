"""A SIP domain found by a real name server, and every server of it asked."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from nethealth.model.check import Family
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.ports import Clock, NetworkFailure
from probes.name_servers import system_name_servers
from probes.net import SystemClock, SystemNetwork
from tests.peers import dnsmasq
from tests.peers.kamailio import Kamailio
from tests.peers.ports import free_port
from tests.probes.sip_runs import Said, ask


class Named(SystemNetwork):
    """Real sockets; the names of the servers are known here, in place of the system's resolver."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.addresses = {"sip1.example": "127.0.0.1", "sip2.example": "127.0.0.2"}

    async def resolve(self, host: str, family: Family | None = None) -> tuple[str, ...]:
        if host in self.addresses:
            return (self.addresses[host],)
        raise NetworkFailure(Failure.RESOLVE, f"{host}: no such name")


class Domain:
    def __init__(self, server: Endpoint, sip: int, dead: int) -> None:
        self.server, self.sip, self.dead = server, sip, dead

    def ask(
        self,
        domain: str,
        *,
        locate: Literal["naptr", "srv"] = "naptr",
        name_servers: tuple[Endpoint, ...] = (),
    ) -> Said:
        async def scene() -> Said:
            network = Named(SystemClock())
            network.addresses["plain.example"] = "127.0.0.1"
            try:
                return await ask(
                    self.sip,
                    host=domain,
                    network=network,
                    uri=f"sip:{domain}",
                    timeout_s=2.0,
                    name_servers=name_servers or (self.server,),
                    locate=locate,
                )
            finally:
                await network.close()

        return asyncio.run(scene())


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    folder: Path = tmp_path_factory.mktemp("located")
    sip, dead, port = free_port(), free_port(), free_port()
    records = [
        "local=/example/",
        "naptr-record=council.example,10,5,s,SIP+D2T,,_sip._tcp.council.example",
        "naptr-record=council.example,20,5,s,SIP+D2U,,_sip._udp.council.example",
        f"srv-host=_sip._tcp.council.example,sip1.example,{sip},0,1",
        f"srv-host=_sip._udp.council.example,sip2.example,{dead},10,1",
        f"srv-host=_sip._udp.council.example,sip1.example,{sip},0,1",
        f"srv-host=_sip._udp.dead.example,sip1.example,{dead},0,2",
        f"srv-host=_sip._udp.dead.example,nobody.example,{dead},0,1",
        *(
            f"srv-host=_sip._udp.many.example,server-{number:03}-with-a-long-name.example,5060,0,1"
            for number in range(60)
        ),
    ]
    listen = [f"{transport}:127.0.0.1:{sip}" for transport in ("udp", "tcp")]
    with (
        Kamailio(folder, listen),
        dnsmasq.serving(folder, "127.0.0.1", port, records),
    ):
        yield Domain(Endpoint("127.0.0.1", port), sip, dead)


def test_every_target_is_asked_and_the_dead_one_told(domain: Domain) -> None:
    said = domain.ask("council.example")
    assert said.end == (Outcome.COMPLETED, None)
    targets = (
        f"sip1.example:{domain.sip};transport=tcp",
        f"sip1.example:{domain.sip};transport=udp",
        f"sip2.example:{domain.dead};transport=udp",
    )
    assert said["sip_target_count"].value == 3
    assert said["sip_target_count"].method["targets"] == targets
    outcomes = {one.method["target"]: one for one in said.all("sip_target_outcome")}
    assert [outcomes[target].value for target in targets] == ["completed", "completed", "failed"]
    assert outcomes[targets[2]].failure is Failure.REFUSED
    assert [(one.method["target"], one.value) for one in said.all("sip_status_code")] == [
        (targets[0], 200), (targets[1], 200), (targets[2], None),
    ]  # fmt: skip


def test_no_target_answers(domain: Domain) -> None:
    said = domain.ask("dead.example")
    assert said.end == (Outcome.FAILED, Failure.REFUSED)
    assert [one.failure for one in said.all("sip_target_outcome")] == [
        Failure.REFUSED, Failure.RESOLVE,
    ]  # fmt: skip


def test_a_domain_without_records_is_asked_at_its_own_address(domain: Domain) -> None:
    said = domain.ask("plain.example")
    assert said["sip_target_count"].value == 0
    assert said["sip_status_code"].value == 200
    assert "target" not in said["sip_status_code"].method


def test_an_answer_too_long_for_a_datagram_comes_by_tcp_and_is_bounded(domain: Domain) -> None:
    said = domain.ask("many.example", locate="srv")
    assert said["sip_target_count"].value == 8
    assert said["sip_target_count"].method["questions"] == ("SRV _sip._udp.many.example: 60",)
    assert said.end == (Outcome.FAILED, Failure.RESOLVE)


def test_a_silent_name_server_costs_one_question_and_leaves_the_address(domain: Domain) -> None:
    nobody = Endpoint("127.0.0.1", domain.dead)
    said = domain.ask("plain.example", name_servers=(nobody,))
    assert said["sip_target_count"].value is None
    assert said["sip_target_count"].failure is Failure.RESOLVE
    assert said["sip_status_code"].value == 200
    said = domain.ask("council.example", name_servers=(nobody, domain.server))
    assert said["sip_target_count"].value == 3, "the second name server is asked then"


def test_the_name_servers_of_the_system(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert system_name_servers(file) == (Endpoint("127.0.0.1", 53),)
    file.write_text(
        "# a comment\nnameserver 192.0.2.53\nsearch example\nnameserver\nnameserver x\n"
        "nameserver 2001:db8::53\nnameserver 192.0.2.54\nnameserver 192.0.2.55\n"
    )
    assert system_name_servers(file) == tuple(
        Endpoint(address, 53) for address in ("192.0.2.53", "2001:db8::53", "192.0.2.54")
    )

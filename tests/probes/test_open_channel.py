"""The channel of a call: it sends to whom it is told, and tells sender and mark of what comes."""

import asyncio

import pytest

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import CallNetwork, NetworkFailure
from probes.net import SystemClock, SystemNetwork


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("dscp", [0, 46])
def test_three_parties_and_their_marks(address: str, dscp: int) -> None:
    async def scene() -> None:
        network = SystemNetwork(SystemClock())
        assert isinstance(network, CallNetwork)
        anybody = Endpoint(address, 9)
        one = await network.open_channel(anybody, dscp=dscp)
        two, three = [await network.open_channel(anybody) for _ in range(2)]
        one.send(b"to two", two.local)
        one.send(b"to three", three.local)
        for channel, data in ((two, b"to two"), (three, b"to three")):
            datagram = await channel.receive()
            assert (datagram.data, datagram.source, datagram.dscp) == (data, one.local, dscp)
        for channel in (one, two, three):
            channel.close()
        await network.close()

    asyncio.run(scene())


def test_a_chosen_port_and_a_taken_one() -> None:
    async def scene() -> None:
        network = SystemNetwork(SystemClock())
        first = await network.open_channel(Endpoint("127.0.0.1", 9))
        with pytest.raises(NetworkFailure) as raised:
            await network.open_channel(Endpoint("127.0.0.1", 9), local_port=first.local.port)
        assert raised.value.failure is Failure.UNREACHABLE
        port = first.local.port
        first.close()
        again = await network.open_channel(Endpoint("127.0.0.1", 9), local_port=port)
        assert again.local == Endpoint("127.0.0.1", port)
        again.close()
        await network.close()

    asyncio.run(scene())

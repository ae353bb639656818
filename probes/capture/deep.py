"""Deep decoding of a few packets by tshark through pyshark; the only user of pyshark.

pyshark on its own would run the program that a `config.ini` in the current folder names, so the
path of tshark is always given, absolute. Its event loop is one of our own in a thread of our own:
it refuses to run inside a running loop.
"""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


class DecodeError(RuntimeError):
    """tshark is missing or did not decode; the message says which, and what to do."""


def tshark_path() -> Path:
    """The absolute path of tshark, or DecodeError with the cure."""
    found = shutil.which("tshark")
    if found is None:
        raise DecodeError("tshark is not installed: apt-get install tshark")
    return Path(found).resolve()


def decode_layers(capture: Path, *, display_filter: str, most: int, timeout_s: float) -> list[str]:
    """The highest protocol of at most `most` packets of a file that pass `display_filter`.

    A file that tshark cannot read gives none: pyshark does not tell the two apart.
    """
    path = tshark_path()
    with ThreadPoolExecutor(1, thread_name_prefix="tshark") as pool:
        return pool.submit(_decode, path, capture, display_filter, most, timeout_s).result()


def _decode(
    tshark: Path, capture: Path, display_filter: str, most: int, timeout_s: float
) -> list[str]:
    from pyshark import FileCapture  # noqa: PLC0415  (70 ms that only deep decoding should pay)

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    layers: list[str] = []

    def keep(packet: Any) -> None:
        layers.append(str(packet.highest_layer))

    packets = FileCapture(
        str(capture),
        tshark_path=str(tshark),
        display_filter=display_filter,
        use_ek=True,
        keep_packets=False,
        eventloop=loop,
        custom_parameters=["-n"],
    )
    try:
        packets.apply_on_packets(keep, timeout=timeout_s, packet_count=most)
    except Exception as error:
        raise DecodeError(
            f"{tshark} did not decode {capture.name}: {type(error).__name__}"
        ) from error
    finally:
        packets.close()
        loop.close()
        asyncio.set_event_loop(None)
    return layers

"""An analysis that is loaded when there is something for it: some take longer than a run."""

from collections.abc import Callable, Iterator, Sequence

from nethealth.passive.analysis import Analyser, Fact
from nethealth.passive.packets import Packets


class Awaited:
    """An `Analyser` in front of another, that begins with the first run for which a gate opens."""

    def __init__(
        self, gate: Callable[[Packets], bool], make: Callable[[], Analyser], absent: Sequence[Fact]
    ) -> None:
        """`absent`: what there is to say where the gate never opened."""
        self._gate = gate
        self._make = make
        self._absent = absent
        self._analyser: Analyser | None = None

    @property
    def came(self) -> bool:
        """Whether the gate has opened."""
        return self._analyser is not None

    def feed(self, packets: Packets) -> None:
        if self._analyser is None:
            if not self._gate(packets):
                return
            self._analyser = self._make()
        self._analyser.feed(packets)

    def finish(self) -> Iterator[Fact]:
        return iter(self._absent) if self._analyser is None else self._analyser.finish()

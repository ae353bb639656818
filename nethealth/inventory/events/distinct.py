"""Ids of events that stay the same when the same file is brought in again."""

from collections import OrderedDict
from hashlib import sha256

_KEPT_MOST = 20_000  # moments at a time; files go by time, so that a repeat is near


class Distinct:
    """Tells apart what happened at one moment, and what is only told twice.

    No text is part of an id: whoever has an id must not be able to try numbers on it.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, dict[int, int]] = OrderedDict()

    def id(self, kind: str, key: str, text: str) -> str | None:
        """`kind` and a digest of `key` and of how many other texts came under it before.

        None if just this text came under the key already.
        """
        texts = self._seen.setdefault(key, {})
        if len(self._seen) > _KEPT_MOST:
            self._seen.popitem(last=False)
        if hash(text) in texts:
            return None
        number = texts[hash(text)] = len(texts)
        return f"{kind}:{sha256(f'{key}|{number}'.encode()).hexdigest()[:20]}"

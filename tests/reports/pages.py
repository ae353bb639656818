"""A page as html.parser reads it: tags, attributes and text."""

from html.parser import HTMLParser

TAGS = frozenset({
    "html", "head", "meta", "title", "style", "body", "a", "header", "p", "strong", "h1", "h2",
    "h3", "main", "section", "nav", "ul", "li", "dl", "div", "dt", "dd", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "article", "span", "svg", "path", "circle", "line",
    "polyline", "rect", "text", "desc", "figure", "figcaption", "footer",
})  # fmt: skip
_VOID = frozenset({"meta"})


class Page(HTMLParser):
    """Checks that every element closes in its turn while it collects them."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html.decode())
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]

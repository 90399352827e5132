"""A page as a test reads it: its tables' cells, its ids, and everything that it would load."""

from html.parser import HTMLParser

LOADING = {"src", "href", "xlink:href", "data", "action", "poster", "srcset", "background"}


class Page(HTMLParser):
    """What a browser would find: tags, `tables` of cells, `ids`, `loaded`, `text`."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.loaded: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self._cell = False
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag is and names."""
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in LOADING or name.startswith("on"):
                self.loaded.append(value or "")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        self._cell = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        """Note text, in its cell too."""
        self.text += data
        if self._cell:
            self.tables[-1][-1][-1] += data

    def rows(self, first: str) -> list[list[str]]:
        """Return the cells of the table whose head begins so, without its head."""
        return next(table[1:] for table in self.tables if table[0][0] == first)

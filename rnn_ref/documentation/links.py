"""Links inside a built site: each leads to a file, and to a place in it, that are there."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """What a page links to, the names of its places, and its pictures without words."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.speechless: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.places |= {named[key] for key in ("id", "name") if named.get(key)}
        self.links += [named[key] for key in ("href", "src", "data") if named.get(key)]
        if tag == "img" and not (named.get("alt") or "").strip():
            self.speechless.append(named.get("src", ""))


def faults(site: Path) -> list[str]:
    """What is wrong in a folder of HTML: broken links, scripts and pictures from elsewhere, pictures without words."""
    pages = {path.resolve(): _Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        where = path.relative_to(site.resolve()).as_posix()
        found += [f"{where}: {picture} has no alternative text" for picture in page.speechless]
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or address.netloc or (link.startswith("#") and not address.fragment):
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                found.append(f"{where}: {link} leads to no file")
            elif "_modules/" in where:
                continue  # viewcode names places by where things are defined
            elif address.fragment and target in pages and unquote(address.fragment) not in pages[target].places:
                found.append(f"{where}: {link} leads to no place in the file")
    return sorted(set(found))

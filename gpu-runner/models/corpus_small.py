"""Turns four Debian packages into the plain English that `openledger-small` is trained on.

Each source becomes a list of documents; a document is a list of paragraphs. Nothing here depends on the order of a
folder listing or on the machine: files are read in sorted order, so the same packages give the same corpus.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Document = list[str]

SPACES = re.compile(r"\s+")
HELD_OUT_SHARE_BPS = 150


@dataclass(frozen=True)
class Source:
    """One Debian package: its name, and where its text lies once unpacked."""

    package: str
    path: str


SOURCES = (
    Source("postgresql-doc-15", "usr/share/doc/postgresql-doc-15/html"),
    Source("python3.11-doc", "usr/share/doc/python3.11/html/_sources"),
    Source("wordnet-base", "usr/share/wordnet"),
    Source("dict-jargon", "usr/share/dictd/jargon.dict.dz"),
)


def unpack(debs: Path, work: Path) -> dict[str, Path]:
    """Unpacks the .deb files found in `debs`; returns the text folder of each package."""
    folders = {}
    for source in SOURCES:
        deb = next(iter(sorted(debs.glob(f"{source.package}_*.deb"))))
        target = work / source.package
        if not target.exists():
            subprocess.run(["dpkg-deb", "-x", str(deb), str(target)], check=True)
        folders[source.package] = target / source.path
    return folders


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_prose(paragraph: str) -> bool:
    """Keeps sentences, drops tables, code and lists of names."""
    if not 80 <= len(paragraph) <= 2500 or paragraph[-1] not in ".!?:)\"”":
        return False
    letters = sum(c.isalpha() or c == " " for c in paragraph)
    return letters * 100 >= len(paragraph) * 88


def postgresql(folder: Path) -> Iterator[Document]:
    """One document per HTML page: the text of its <p> elements."""
    for page in sorted(folder.glob("*.html")):
        if page.name.startswith(("release", "bookindex", "index", "biblio", "acronyms")):
            continue
        text = re.sub(r"<pre.*?</pre>", " ", page.read_text("utf-8"), flags=re.S)
        paragraphs = []
        for body in re.findall(r"<p[^>]*>(.*?)</p>", text, flags=re.S):
            plain = SPACES.sub(" ", html.unescape(re.sub(r"<[^>]+>", "", body))).strip()
            if plain and is_prose(plain):
                paragraphs.append(plain)
        yield paragraphs


def python_docs(folder: Path) -> Iterator[Document]:
    """One document per reStructuredText page: flowing paragraphs, with the mark-up of roles removed."""
    role = re.compile(r":[\w:+-]+:`[~!]?([^`<]+?)(?:\s*<[^`]*>)?`")
    link = re.compile(r"`([^`<]+?)\s*<[^`]*>`_+")
    for page in sorted(folder.glob("*/*.rst.txt")):
        if page.parent.name in ("whatsnew", "distutils"):
            continue
        paragraphs = []
        for block in re.split(r"\n\s*\n", page.read_text("utf-8")):
            if block.lstrip().startswith(("..", ">>>", "|", "+", "*", "-", "=", ":", "#")):
                continue
            plain = link.sub(r"\1", role.sub(r"\1", block))
            plain = SPACES.sub(" ", plain.replace("``", "").replace("*", "").replace("::", ":")).strip()
            plain = re.sub(r"`([^`]+)`_*", r"\1", plain)
            if plain and is_prose(plain):
                paragraphs.append(plain)
        yield paragraphs


def wordnet(folder: Path) -> Iterator[Document]:
    """Eight neighbouring entries a document, as a definition, or as a question with its answer."""
    for part in ("verb", "adj", "adv", "noun"):
        entries: Document = []
        for line in (folder / f"data.{part}").read_text("utf-8").splitlines():
            if line.startswith("  "):
                continue
            fields, gloss = line.split(" | ", 1)
            word = fields.split(" ")[4].split("(")[0].replace("_", " ")
            # Nouns without a sentence of use are mostly Latin names, people and places: they teach little English.
            if part == "noun" and '"' not in gloss:
                continue
            definition, *examples = (piece.strip(' "') for piece in gloss.strip().split('; "'))
            told = ". ".join([definition.rstrip(";"), *(e[:1].upper() + e[1:] for e in examples if e)])
            told = SPACES.sub(" ", told).rstrip(".") + "."
            if int(fields[:8]) % 5 == 0:
                ask = {"verb": f"What does it mean to {word}?", "noun": f"What is {word}?"}.get(part, f"What does {word} mean?")
                entries.append(f"Question: {ask}\nAnswer: {told[:1].upper()}{told[1:]}")
            else:
                entries.append(f"{word}: {told}")
            if len(entries) == 8:
                yield entries
                entries = []
        yield entries


def jargon(dictionary: Path) -> Iterator[Document]:
    """One document per entry; the head word starts the line, the text is indented."""
    text = gzip.decompress(dictionary.read_bytes()).decode("utf-8")
    body = text[text.index("\nabbrev\n") if "\nabbrev\n" in text else 0 :]
    for entry in re.split(r"\n(?=\S)", body):
        head, _, rest = entry.partition("\n")
        paragraphs = [SPACES.sub(" ", p.replace("{", "").replace("}", "")).strip() for p in re.split(r"\n\s*\n", rest)]
        paragraphs = [p for p in paragraphs if p and is_prose(p)]
        if paragraphs:
            yield [f"{head.strip()}: {paragraphs[0]}", *paragraphs[1:]]


READERS = {"postgresql-doc-15": postgresql, "python3.11-doc": python_docs, "wordnet-base": wordnet, "dict-jargon": jargon}


def held_out(document: Document) -> bool:
    """A document is held out by the hash of its text, never by its place."""
    digest = hashlib.sha256("\n\n".join(document).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 10_000 < HELD_OUT_SHARE_BPS


def read_corpus(folders: dict[str, Path]) -> tuple[list[str], list[tuple[str, str]]]:
    """Returns the training documents and the held-out (source, document) pairs, repeats removed by hash."""
    train: list[str] = []
    kept: list[tuple[str, str]] = []
    seen: set[bytes] = set()
    for source in SOURCES:
        for document in READERS[source.package](folders[source.package]):
            fresh = []
            for paragraph in document:
                key = hashlib.sha256(paragraph.encode()).digest()
                if key not in seen:
                    seen.add(key)
                    fresh.append(paragraph)
            if not fresh:
                continue
            text = "\n\n".join(fresh)
            if held_out(fresh):
                kept.append((source.package, text))
            else:
                train.append(text)
    return train, kept

"""A strict reader of Prometheus' text format: what it accepts, every scraper does.

    families = read(text)       {name: Family}; ValueError with the line otherwise

It wants a HELP and a TYPE before a family's rows, all of them together, labels that are
escaped and in no row twice, no two rows of the same labels, counters that end in _total and
are not negative, and a line end after the last line.
"""
import math
import re

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
VALUE = re.compile(r'"((?:[^"\\\n]|\\[\\"n])*)"')


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.type = name, help_text, None
        self.rows = {}  # A frozenset of (label, value) pairs: number.

    def value(self, **labels):
        """The number of the one row that has these labels (and perhaps others)."""
        found = self.all(**labels)
        if len(found) != 1:
            raise AssertionError(f"{self.name}{labels}: {len(found)} rows of {self.rows}")
        return found[0]

    def all(self, **labels):
        wanted = set(labels.items())
        return [number for row, number in self.rows.items() if wanted <= row]

    def labels(self):
        return [dict(row) for row in self.rows]


def unescaped(text):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), text)


def read_labels(text):
    """'{a="b"} ' and the rest: the labels and the rest."""
    labels, at = {}, 1
    while True:
        name = NAME.match(text, at)
        if not name or text[name.end():name.end() + 1] != "=":
            raise ValueError("no label's name")
        value = VALUE.match(text, name.end() + 1)
        if not value:
            raise ValueError("no label's value")
        if name[0] in labels:
            raise ValueError(f"the label {name[0]} twice")
        labels[name[0]] = unescaped(value[1])
        at = value.end() + 1
        if text[value.end():at] == "}":
            return labels, text[at:]
        if text[value.end():at] != ",":
            raise ValueError("neither , nor } behind a label")


def read_row(line, family):
    name = NAME.match(line)
    if not name or family is None or name[0] != family.name or family.type is None:
        raise ValueError("a row that is not behind the head of its family")
    labels, rest = {}, line[name.end():]
    if rest.startswith("{"):
        labels, rest = read_labels(rest)
    if not re.fullmatch(r" (NaN|[+-]Inf|-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?)", rest):
        raise ValueError(f"{rest!r} is no value")
    number = float(rest)
    if family.type == "counter" and not (number >= 0 and math.isfinite(number)):
        raise ValueError("a counter of that value")
    key = frozenset(labels.items())
    if key in family.rows:
        raise ValueError("a second row of these labels")
    family.rows[key] = number


def read_type(rest, family):
    name, kind = rest.split(" ")
    if family is None or family.name != name or family.type or family.rows:
        raise ValueError("a TYPE that is not behind its HELP")
    if kind != ("counter" if name.endswith("_total") else "gauge"):
        raise ValueError(f"a {kind} of that name")
    family.type = kind


def read_line(line, families, family):
    """Returns the family that the next line belongs to."""
    if line.startswith("# HELP "):
        name, text = line[7:].split(" ", 1)
        if not NAME.fullmatch(name) or not text.strip() or name in families:
            raise ValueError("a HELP that is wrong, empty, or the second of its family")
        families[name] = Family(name, text)
        return families[name]
    if line.startswith("# TYPE "):
        read_type(line[7:], family)
    else:
        read_row(line, family)
    return family


def read(text):
    if not text.endswith("\n"):
        raise ValueError("no line end after the last line")
    families, family = {}, None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        try:
            family = read_line(line, families, family)
        except ValueError as error:
            raise ValueError(f"line {number}, {line!r}: {error}") from error
    return families

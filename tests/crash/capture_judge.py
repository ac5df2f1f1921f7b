"""Whether topics tell what the tables' journal tells: nothing lost, made up or out of order.

The journal gives, for each key, the items that its topic must bring, in this order: 'c', 'u' and
'd' of a row, the tombstone behind a 'd', and the 't' of the whole table. A reader of one key
stands at an item; each record brings it to the next one, or back to an earlier one, when a stretch
is repeated after a crash. It never goes further than one step forward, and it ends at the last.
So no older state stays behind a newer one, and no item is left out.

    stretch        1 2 3 4 | 2 3 4 5 | 5 6        is good
    left out       1 2 3 5                        never said 4
    stale          1 2 3 4 | 2                    ends before the end

Rows of before the capture began come by the snapshot, as 'r'.

A record is a dictionary: offset, key, value (parsed JSON, or None), oldkey (of its header).
"""
import hashlib
from collections import defaultdict

from checker import Faults

PLACEHOLDER = "__debezium_unavailable_value"


def shortened(row):
    """As the journal keeps rows."""
    return row and {name: "md5:" + hashlib.md5(value.encode()).hexdigest()
                    if isinstance(value, str) and len(value) > 100 else value
                    for name, value in row.items()}


class Item:
    """What must come of one key."""

    def __init__(self, op, seq, xid, row=None, old=None):
        self.op, self.seq, self.xid, self.row, self.old = op, seq, xid, row, old

    def __str__(self):
        return f"{self.op}[seq {self.seq}, xid {self.xid}, stamp {(self.row or {}).get('stamp')}]"


class Line:
    """The items of one key, and where its reader may stand: of those before `base` it may have
    heard by the snapshot only."""

    def __init__(self, key):
        self.key, self.items = key, []
        self.base = 0
        self.stands = {0}
        self.by_stamp = {}
        self.by_xid = defaultdict(list)
        self.snapshots = 0
        self.state = None

    def add(self, item, since):
        self.items.append(item)
        place = len(self.items)
        if item.seq <= since:
            self.base = place
            self.stands = {place}
        if item.row is not None:
            self.by_stamp[item.row["stamp"]] = place
        self.by_xid[item.op, item.xid].append(place)

    def item(self, place):
        return self.items[place - 1] if place > 0 else None

    def places(self, op, xid, row):
        """Where a record may belong."""
        if op == "tombstone":
            return [place + 1 for place in self.stands
                    if place > 0 and self.item(place).op == "d" and place < len(self.items)]
        if op in ("d", "t"):
            return self.by_xid.get((op, xid), [])
        place = self.by_stamp.get(row.get("stamp"))
        return [place] if place and op in ("r", self.item(place).op) else []

    def must_be_in_snapshot(self):
        """Alive when the capture began, and for good."""
        return self.base > 0 and self.items[self.base - 1].row is not None and all(
            item.op == "u" for item in self.items[self.base:])


def key_of(table, row):
    return tuple(row.get(name) for name in table.key)


class Topic:
    """One table: what its journal says, against what its topic says."""

    def __init__(self, table, journal, since, faults):
        self.table, self.faults = table, faults
        self.lines = {}
        self.since = since
        self.emptied = []
        for entry in journal:
            self.take(entry)

    def line(self, key):
        """The line of a key; a new one has heard of every time that the table was emptied."""
        if key not in self.lines:
            self.lines[key] = Line(key)
            for seq, xid in self.emptied:
                self.lines[key].add(Item("t", seq, xid), self.since)
        return self.lines[key]

    def take(self, entry):
        op, seq, xid, old, new = (entry[name] for name in ("op", "seq", "xid", "old", "new"))
        if op == "TRUNCATE":
            self.emptied.append((seq, xid))
            for line in self.lines.values():
                line.add(Item("t", seq, xid), self.since)
            return
        old_key = old and key_of(self.table, old)
        new_key = new and key_of(self.table, new)
        if old is not None and old_key != new_key:
            self.line(old_key).add(Item("d", seq, xid, old=old), self.since)
            if self.table.keyed:
                self.line(old_key).add(Item("tombstone", seq, xid), self.since)
        if new is not None:
            same = old is not None and old_key == new_key
            self.line(new_key).add(Item("u" if same else "c", seq, xid, new, old), self.since)

    # -- Records

    def told(self, kind, record, text):
        self.faults.add(kind, f"{self.table.name}@{record['offset']}: {text}")

    def record_key(self, record):
        """The key of its line; None for all of them."""
        value = record["value"]
        if self.table.keyed:
            return record["key"] and key_of(self.table, shortened(record["key"]))
        row = value["after"] or value["before"]
        return None if row is None else key_of(self.table, row)

    def check_record(self, record):
        value = record["value"]
        op = "tombstone" if value is None else value["op"]
        if op == "t":
            for line in self.lines.values():
                self.advance(line, record, op, value["source"]["txId"], None)
            return
        if op == "tombstone" and not self.table.keyed:
            return  # It says nothing.
        key = self.record_key(record)
        line = self.lines.get(key)
        if line is None:
            self.told("made up", record, f"{op} of {key}, a key that was never committed")
            return
        row = None if value is None else shortened(value["after"])
        xid = None if value is None else value["source"]["txId"]
        self.advance(line, record, op, xid, row)

    def advance(self, line, record, op, xid, row):
        places = line.places(op, xid, row)
        if not places:
            self.told("made up", record, f"{op} of {line.key} by xid {xid}: {row}: nothing like "
                                         "it was committed")
            return
        next_max = max(line.stands) + 1
        stands = {place for place in places if place <= next_max}
        if not stands:
            self.told("left out", record,
                      f"{op} of {line.key} is item {min(places)}, after {max(line.stands)}: "
                      f"{line.item(max(line.stands) + 1)} did not come")
            stands = {min(places)}
        line.stands = stands
        self.check_content(line, record, op, row)

    def check_content(self, line, record, op, row):
        if op in ("tombstone", "t"):
            line.state = None
            return
        item = line.item(max(line.stands))
        before = shortened(record["value"]["before"])
        if op == "d":
            line.state = None
            self.check_before(line, record, item, before)
            return
        line.snapshots += op == "r"
        line.state = self.resolved(line, record, op, item, row)
        got, wanted = line.state, item.row
        if op == "r":  # The table may have been altered since the row was written.
            got, wanted = ({name: row.get(name) for name in self.table.lasting or item.row}
                           for row in (got, wanted))
        if got != wanted:
            self.told("content", record, f"{op} of {line.key} is {got}, and was {wanted}")
        if op == "u":
            self.check_before(line, record, item, before)

    def check_before(self, line, record, item, before):
        wanted = item.old
        if not self.table.whole:
            if before is None and item.op == "u":
                return
            before = before and {name: before.get(name) for name in self.table.key}
            wanted = {name: wanted[name] for name in self.table.key}
        if before != wanted:
            self.told("content", record, f"before of {line.key} is {before}, and was {wanted}")

    def resolved(self, line, record, op, item, row):
        """The row with what the server did not send, where it need not: a text that stays."""
        if PLACEHOLDER not in row.values():
            return row
        row = dict(row)
        for name in [name for name, value in row.items() if value == PLACEHOLDER]:
            kept = item.old is not None and item.old.get(name) == item.row[name]
            if op == "r" or self.table.whole or not kept:
                self.told("content", record, f"{op} of {line.key} has no '{name}', which is new")
            row[name] = item.row[name]
        return row

    # -- The end

    def check_end(self, rows):
        for line in self.lines.values():
            if len(line.items) not in line.stands:
                place = max(line.stands)
                self.faults.add("stale" if line.snapshots or place > line.base else "lost",
                                f"{self.table.name}: {line.key} ends with {line.item(place)}, not "
                                f"with {line.items[-1]}")
            if line.must_be_in_snapshot() and not line.snapshots:
                self.faults.add("lost", f"{self.table.name}: {line.key} is in no snapshot")
        applied = {line.key: line.state for line in self.lines.values() if line.state is not None}
        wanted = {key_of(self.table, row): row for row in rows}
        for key in applied.keys() | wanted.keys():
            if applied.get(key) != wanted.get(key):
                self.faults.add("differs", f"{self.table.name}: {key} is {wanted.get(key)} in the "
                                           f"table, {applied.get(key)} by the topic")


def identity(record, before):
    """What makes a record of the stream the same when it comes again; None for a snapshot's."""
    value = record["value"]
    if value is None:
        return None if before is None else before + ("tombstone",)
    if value["op"] == "r":
        return None
    source = value["source"]
    return (source["txId"], source["lsn"], value["op"], str(record["key"]),
            (value["after"] or {}).get("stamp"))


def stretches(records):
    """How many times a topic goes back: places where the next record is not the one that came
    after it the first time."""
    ranks, count, last, before = {}, 0, -1, None
    for record in records:
        before = identity(record, before)
        if before is not None:
            rank = ranks.setdefault(before, len(ranks))
            count += rank != last + 1
            last = rank
    return count


def judge(tables, journal, since, topics, contents, repeats_max):
    """The faults. `journal`: entries in their order; those up to `since` were there before.
    `topics`: records by table; `contents`: rows of each table at the end; `repeats_max`: how
    often something was restarted that may repeat records."""
    faults = Faults()
    for name, table in tables.items():
        topic = Topic(table, [entry for entry in journal if entry["relation"] == name], since,
                      faults)
        for record in topics[name]:
            topic.check_record(record)
        topic.check_end(contents[name])
        repeats = stretches(topics[name])
        if repeats > repeats_max:
            faults.add("repeated", f"{name} goes back {repeats} times, with {repeats_max} restarts")
    return faults

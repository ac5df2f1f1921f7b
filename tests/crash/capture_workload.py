"""Sessions that change the tables of capture_tables.py at random, by a plan that follows from a seed.

Every session is a psql of its own, begun again when its server is gone. What became of a
transaction nobody asks: rows collide, locks time out, statements fail, servers die. The journal
tells afterwards.
"""
import threading

from capture_tables import BIG, TABLES, insert, where

KEYS = 40  # Few, so that sessions meet.
QUIET = ("SET lock_timeout = '300ms'; SET statement_timeout = '5s'; SET client_min_messages = "
         "fatal;")


class Statements:
    """Random statements."""

    def __init__(self, choose):
        self.choose = choose

    def number(self):
        return self.choose.randrange(KEYS)

    def insert(self, table):
        text = insert(table, self.number(), self.choose.random() < 0.3)
        if table != "keyless" and self.choose.random() < 0.7:
            text += " ON CONFLICT " + self.choose.choice((
                "DO NOTHING", {"indexed": "(x, y)", "parted": "(id, region)"}.get(table, "(id)")
                + f" DO UPDATE SET n = {table}.n + 1"))
        return text

    def update(self, table):
        change = self.choose.choice((
            "n = n + 1", "n = n + 1", "note = 'note ' || n", "n = NULL, note = NULL",
            f"big = {BIG.format(self.number())}", "big = 'short'", "big = NULL",
            f"big = {BIG.format(self.number())}, n = 7"))
        if table == "shape" and self.choose.random() < 0.5:
            change = f"c{self.choose.randrange(5)} = '{self.choose.randrange(2)}'"
        if self.choose.random() < 0.1:
            low = self.number() + self.choose.choice((0, 0, 1000, 1100))
            column = "x" if table == "indexed" else "id"
            return f"UPDATE {table} SET {change} WHERE {column} BETWEEN {low} AND {low + 5}"
        return f"UPDATE {table} SET {change} WHERE {where(table, self.number())}"

    def move(self, table):
        """Changes a key, sometimes with the large value beside it."""
        change = {"indexed": self.choose.choice((f"x = {self.number()}", "y = y || '+'", "y = 'y1'",
                                               f"y = left({BIG.format(5)}, 2500)")),
                  "parted": self.choose.choice((f"id = {self.number()}", "region = (region + 1) % 4"))
                  }.get(table, f"id = {self.number()}")
        if self.choose.random() < 0.4:
            change += f", big = {BIG.format(self.number())}"
        return f"UPDATE {table} SET {change} WHERE {where(table, self.number())}"

    def delete(self, table):
        return f"DELETE FROM {table} WHERE {where(table, self.number())}"

    def change(self):
        table = self.choose.choice(list(TABLES))
        kind = self.choose.choice((self.insert, self.insert, self.update, self.update, self.update,
                                   self.update, self.move, self.delete))
        return kind(table)

    def alter(self):
        """DDL: of `shape`."""
        one, other = self.choose.sample(range(5), 2)
        kind = self.choose.choice(("int", "bigint", "text", "boolean"))
        using = "CASE WHEN length(c{0}::text) > 4 THEN NULL ELSE c{0}::text::{1} END"
        return "ALTER TABLE shape " + self.choose.choice((
            f"ADD COLUMN c{one} {kind}",
            f"ADD COLUMN c{one} {kind} DEFAULT '1'",
            f"ADD COLUMN c{one} {kind} NOT NULL DEFAULT '0'",
            f"DROP COLUMN c{one}",
            f"RENAME COLUMN c{one} TO c{other}",
            f"ALTER COLUMN c{one} DROP DEFAULT, ALTER COLUMN c{one} DROP NOT NULL, "
            f"ALTER COLUMN c{one} TYPE {kind} USING "
            + using.format(one, kind),
            f"REPLICA IDENTITY {self.choose.choice(('FULL', 'DEFAULT'))}",
            f"ALTER COLUMN n TYPE {self.choose.choice(('int', 'bigint'))}",
            f"ALTER COLUMN c{one} DROP NOT NULL"))

    def truncate(self):
        return "TRUNCATE " + ", ".join(self.choose.sample(("whole", "parted", "keyless", "shape"),
                                                          self.choose.choice((1, 1, 2))))

    def part(self, depth=0):
        """Some statements, and savepoints that are kept or not."""
        parts = []
        for _ in range(self.choose.randint(1, 4)):
            if depth < 3 and self.choose.random() < 0.15:
                parts.append(f"SAVEPOINT s{depth}")
                parts += self.part(depth + 1)
                parts.append(self.choose.choice(("RELEASE", "ROLLBACK TO")) + f" s{depth}")
            elif self.choose.random() < 0.02:
                parts.append(self.alter())
            elif self.choose.random() < 0.003:
                parts.append(self.truncate())
            else:
                parts.append(self.change())
        return parts

    def many(self):
        """Enough rows for the transaction to span batches, or requests to the log."""
        table = self.choose.choice(("plain", "whole", "parted", "keyless", "shape"))
        low, count = 1000 + 100 * self.number(), self.choose.choice((5, 50, 100, 1500))
        region = ", region" if table == "parted" else ""
        value = ", i % 4" if region else ""
        return [f"DELETE FROM {table} WHERE id BETWEEN {low} AND {low + count}",
                f"INSERT INTO {table} (id{region}, n, note) SELECT i{value}, 1, repeat('many', 20) "
                f"FROM generate_series({low}, {low + self.choose.randint(1, count)}) i",
                f"UPDATE {table} SET n = n + 1 WHERE id BETWEEN {low} AND {low + count}"]


class Session(threading.Thread):
    def __init__(self, workload, name, choose):
        super().__init__(name=name)
        self.workload, self.choose = workload, choose
        self.statements = Statements(choose)
        self.prepared, self.count = [], 0

    def transaction(self):
        if self.prepared and self.choose.random() < 0.5:
            return self.choose.choice(("COMMIT", "COMMIT", "ROLLBACK")) + \
                f" PREPARED '{self.prepared.pop()}';"
        choice = self.choose.random()
        if choice < 0.15:
            return self.statements.change() + ";"
        if choice < 0.17:
            return self.statements.alter() + ";"
        parts = self.statements.part() if choice < 0.95 else self.statements.many()
        end = self.choose.choice(("COMMIT",) * 8 + ("ROLLBACK",))
        if choice < 0.25 and not any("ALTER" in part or "TRUNCATE" in part for part in parts):
            self.count += 1
            self.prepared.append(f"{self.name}_{self.count}")
            end = f"PREPARE TRANSACTION '{self.prepared[-1]}'"
        return "; ".join(["BEGIN", *parts, end]) + ";"

    def run(self):
        over = self.workload.over
        while not over.is_set():
            psql = self.workload.server.talk()
            try:
                psql.stdin.write(QUIET + "\n")
                while not over.is_set() and self.transact(psql):
                    over.wait(self.choose.choice((0, 0.002, 0.01, 0.03)))
                psql.stdin.close()
            except OSError:
                pass  # The server was killed, and psql has ended.
            psql.kill()
            psql.wait()
            psql.stdout.close()
            over.wait(0.05)

    def transact(self, psql):
        psql.stdin.write(self.transaction() + "\n\\echo done\n")
        psql.stdin.flush()
        for line in psql.stdout:
            if line.strip() == "done":
                self.workload.note_done()
                return True
        return False


class Workload:
    """Runs sessions until it is stopped."""

    def __init__(self, server, choose, sessions=3):
        self.server = server
        self.over = threading.Event()
        self.progress = threading.Condition()
        self.done = 0
        self.sessions = [Session(self, f"session{i}", choose()) for i in range(sessions)]
        for session in self.sessions:
            session.start()

    def note_done(self):
        with self.progress:
            self.done += 1
            self.progress.notify_all()

    def wait_done(self, more, seconds):
        """Whether `more` further transactions have ended within the time."""
        with self.progress:
            wanted = self.done + more
            return self.progress.wait_for(lambda: self.done >= wanted, seconds)

    def stop(self):
        self.over.set()
        for session in self.sessions:
            session.join()

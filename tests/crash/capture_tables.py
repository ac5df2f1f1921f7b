"""The tables of the capture test, and a journal that triggers write in the same transactions.

What is in the journal at the end is what was committed, key by key in the order of commits: a
session that changes a row holds it until its end, and the journal's number is drawn meanwhile.
A commit of which nobody knows, because the server was killed, is there or not like its rows.

Each row version has a stamp of its own, so that a record can be told from every other.
Long texts are kept as their MD5.
"""

SETUP = """
CREATE SEQUENCE stamps;
CREATE TABLE journal (seq bigserial PRIMARY KEY, xid bigint NOT NULL, relation text NOT NULL,
                      op text NOT NULL, old jsonb, new jsonb);

CREATE FUNCTION shortened(whole jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(key, CASE WHEN length(value #>> '{}') > 100
                                 THEN to_jsonb('md5:' || md5(value #>> '{}')) ELSE value END)
    FROM jsonb_each(whole) $$;

CREATE FUNCTION stamp_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.stamp := nextval('stamps');
    RETURN NEW;
END $$;

CREATE FUNCTION keep_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal (xid, relation, op, old, new) VALUES (
        txid_current() & 4294967295, TG_ARGV[0], TG_OP,
        CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN shortened(to_jsonb(OLD)) END,
        CASE WHEN TG_OP IN ('UPDATE', 'INSERT') THEN shortened(to_jsonb(NEW)) END);
    RETURN NULL;
END $$;
"""

# What a random text that TOAST moves out of the row is made of.
BIG = "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 100 + {0} % 50))"


class Table:
    """`key`: the columns by which a record's row is known. A table without a key for Kafka is
    known by a column that nobody changes. `whole`: old rows come whole. `lasting`: the columns
    that no DDL touches; None where there is no DDL."""

    def __init__(self, name, definition, key, keyed=True, whole=False, more="", lasting=None):
        self.name, self.definition, self.key = name, definition, key
        self.keyed, self.whole, self.more, self.lasting = keyed, whole, more, lasting

    def sql(self):
        arguments = f"EXECUTE FUNCTION keep_journal('{self.name}')"
        return f"""
            CREATE TABLE {self.name} {self.definition};
            {self.more}
            CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON {self.name}
                FOR EACH ROW EXECUTE FUNCTION stamp_row();
            CREATE TRIGGER journal AFTER INSERT OR UPDATE OR DELETE ON {self.name}
                FOR EACH ROW {arguments};
            CREATE TRIGGER emptied AFTER TRUNCATE ON {self.name}
                FOR EACH STATEMENT {arguments};"""


BODY = "n int, note text, big text, stamp bigint NOT NULL"
TABLES = {table.name: table for table in (
    Table("plain", f"(id int PRIMARY KEY, {BODY})", ("id",)),
    Table("whole", f"(id int PRIMARY KEY, {BODY})", ("id",), whole=True,
          more="ALTER TABLE whole REPLICA IDENTITY FULL;"),
    Table("indexed", f"(x int NOT NULL, y text NOT NULL, {BODY})", ("x", "y"),
          more="ALTER TABLE indexed ALTER y SET STORAGE EXTERNAL;"
               "CREATE UNIQUE INDEX indexed_key ON indexed (x, y);"
               "ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_key;"),
    Table("keyless", f"(line bigint DEFAULT nextval('stamps'), id int, {BODY})", ("line",),
          keyed=False, whole=True, more="ALTER TABLE keyless REPLICA IDENTITY FULL;"),
    Table("parted", f"(id int, region int, {BODY}, PRIMARY KEY (id, region)) "
                    "PARTITION BY LIST (region)", ("id", "region"),
          more="CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN (0);"
               "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1, 2);"
               "CREATE TABLE parted_2 PARTITION OF parted DEFAULT;"),
    Table("shape", f"(id int PRIMARY KEY, {BODY}, c0 int, c1 text, c2 boolean)", ("id",),
          lasting=("id", "n", "note", "big", "stamp")),
)}


def insert(table, number, big):
    """An insertion of the row with this number, which may be there already."""
    text = BIG.format(number) if big else f"'small {number}'"
    columns, values = {
        "indexed": ("x, y", f"{number}, 'y{number % 3}'"),
        "parted": ("id, region", f"{number}, {number % 4}"),
    }.get(table, ("id", str(number)))
    return f"INSERT INTO {table} ({columns}, n, note, big) VALUES ({values}, 0, 'new', {text})"


def where(table, number):
    return f"x = {number}" if table == "indexed" else f"id = {number}"


def setup_sql(rows):
    """Everything, with `rows` rows in each table."""
    fill = [f"{insert(table, number, number % 5 == 0)};"
            for table in TABLES for number in range(rows)]
    return "\n".join([SETUP] + [table.sql() for table in TABLES.values()] + fill)

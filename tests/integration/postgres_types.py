"""Columns of every type of PostgreSQL, each with the values that have been a trouble to somebody.

A table made of them has as many rows as the longest list has values; shorter lists go on with NULL.
"""

SETUP = (
    "CREATE SCHEMA ci", "CREATE EXTENSION citext SCHEMA ci", "CREATE EXTENSION hstore", "CREATE EXTENSION ltree",
    "CREATE EXTENSION isn",
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s, \"fine\"')", "CREATE TYPE pair AS (a int, b text)",
    "CREATE DOMAIN price AS numeric(8,2)", "CREATE DOMAIN cheap AS price CHECK (VALUE < 100)",
    "CREATE DOMAIN numbers AS int[]", "CREATE DOMAIN shorty AS varchar(5)",
    "CREATE DOMAIN stamp AS timestamp(3)",
)


def stand_in(name):
    """A type with the name of one that an extension brings, whose texts are as they are written."""
    return (f"CREATE TYPE {name}",
            f"CREATE FUNCTION {name}_in(cstring) RETURNS {name} LANGUAGE internal IMMUTABLE STRICT AS 'textin'",
            f"CREATE FUNCTION {name}_out({name}) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'",
            f"CREATE TYPE {name} (INPUT = {name}_in, OUTPUT = {name}_out, LIKE = text)")


NUMBERS = {
    "b": ("bool", ["true", "false"]),
    "i2": ("int2", ["-32768", "32767"]), "i4": ("int4", ["2147483647", "-2147483648"]),
    "i8": ("int8", ["-9223372036854775808", "9223372036854775807"]), "o": ("oid", ["4294967295", "0"]),
    "f4": ("float4", ["0.1", "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "1e-45"]),
    "f8": ("float8", ["-2.5e-300", "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "0.1", "1e21"]),
    "n": ("numeric(10,2)", ["-12.5", "0", "99999999.99", "-0.01"]), "n5": ("numeric(5)", ["12345", "-1", "0"]),
    "n35": ("numeric(3,5)", ["0.00123", "-0.00999", "0"]),
    "n38": ("numeric(38,10)", ["1234567890123456789012345678.0123456789", "-9999999999999999999999999999.9999999999"]),
    "nv": ("numeric", ["123456789012345678901234567890.1234500", "0", "0.000", "-0.5", "100.00", "1e50", "1e-40"]),
    "m": ("money", ["'-1234.11'", "'0'", "'12345678901.07'", "'0.01'"]),
}
NO_NUMBERS = {
    "nn": ("numeric(10,2)", ["'NaN'"]), "nvn": ("numeric", ["'NaN'", "'Infinity'", "'-Infinity'"]), "n52": ("numeric(5,-2)", ["12345", "0", "-99900"]),
}
TEXTS = {
    "t": ("text", ["E'tab\\there\\nline \\\\ back ''quote'' é 😀'", "''", "E'\\u0001\\b\\f\\r\\u007f'", "'NULL'", "'\\N'"]),
    "vc": ("varchar(10)", ["'x'", "'é😀'"]), "c": ("char(5)", ["'ab'", "''"]), "c1": ("char", ["'x'", "''"]),
    "qc": ('"char"', ["'z'", "''"]), "nm": ("name", ["'a_name'"]), "ct": ("ci.citext", ["'CaSe'", "''"]),
    "u": ("uuid", ["'A0EEBC99-9c0b4ef8-bb6d-6bb9bd380a11'"]),
    "j": ("json", ["'{\"a\":  1.0, \"a\": 2}'", "'null'", "'\"\\u00e9\"'"]),
    "jb": ("jsonb", ["'{\"b\":  1.0, \"a\": 2}'", "'1e400'", "'[]'"]),
    "x": ("xml", ["'<a>b</a>'", "'text &amp; more'"]),
    "e": ("mood", ["'ok'", "'it''s, \"fine\"'"]), "ip": ("inet", ["'10.0.0.1/8'", "'::1'", "'10.0.0.1'"]),
    "cd": ("cidr", ["'10.0.0.0/8'", "'2001:db8::/32'"]), "ma": ("macaddr", ["'08:00:2b:01:02:03'"]),
    "m8": ("macaddr8", ["'08:00:2b:01:02:03:04:05'"]), "tv": ("tsvector", ["'a fat cat'", "'''q'':1A,2'", "''"]),
    "lt": ("ltree", ["'a.b.c'", "''"]),
}
BYTES = {
    "by": ("bytea", ["'\\x00ff5c74'", "'\\x'", "'\\xfbff'"]), "bt": ("bit(3)", ["B'101'", "B'000'"]), "bt1": ("bit(1)", ["B'1'", "B'0'"]),
    "bt64": ("bit(64)", [f"B'1{'0' * 63}'", f"B'{'0' * 63}1'"]), "vb": ("varbit", ["B'1000000001'", "B''", "B'0'"]),
    "vb5": ("varbit(5)", ["B'101'", "B''"]),
}
DATES = {
    "d": ("date", ["'2016-11-04'", "'1970-01-01'", "'1969-12-31'", "'1582-10-15'", "'5874897-12-31'"]),
    "tm": ("time", ["'04:05:06.789012'", "'00:00'", "'24:00'", "'23:59:59.999999'"]),
    "tm0": ("time(0)", ["'04:05:06.789012'", "'24:00'"]), "tm3": ("time(3)", ["'04:05:06.789'", "'24:00:00'"]),
    "tm4": ("time(4)", ["'04:05:06.7890'", "'00:00'"]),
    "tz": ("timetz", ["'04:05:06.7+05:30'", "'00:00:00+14'", "'23:59:59.999999-12'", "'12:00Z'"]),
    "tz3": ("timetz(3)", ["'04:05:06.789+01'"]),
    "ts": ("timestamp", ["'2016-11-04 13:51:30.123456'", "'1970-01-01'", "'1969-12-31 23:59:59.999999'", "'9999-12-31 23:59:59.999999'",
                         "'infinity'", "'-infinity'"]),
    "ts0": ("timestamp(0)", ["'2016-11-04 13:51:30.9'", "'1969-12-31 23:59:59'", "'infinity'"]),
    "ts3": ("timestamp(3)", ["'2016-11-04 13:51:30.123'", "'1969-12-31 23:59:59.001'", "'infinity'", "'-infinity'"]),
    "ts4": ("timestamp(4)", ["'2016-11-04 13:51:30.1234'", "'infinity'"]),
    "tt": ("timestamptz", ["'2016-11-04 13:51:30.12+02'", "'1970-01-01 00:00Z'", "'9999-12-31 23:59:59.999999Z'", "'infinity'", "'-infinity'",
                           "'1969-12-31 23:59:59.999999Z'"]),
    "tt0": ("timestamptz(0)", ["'2016-11-04 13:51:30.12+02'"]), "tt3": ("timestamptz(3)", ["'2016-11-04 13:51:30.1+02'"]),
    "iv": ("interval", ["'-1 mons +1 day -00:00:01.5'", "'0'", "'1 year 2 mons 3 days 04:05:06.789'", "'-3 days'", "'25:00:00'",
                        "'-00:00:00.000001'", "'178000 years'"]),
    "iv0": ("interval day to second(0)", ["'1 day 04:05:06'"]),
}
# Where Debezium's snapshot and its stream differ, or its calendar does from PostgreSQL's.
OLD_DATES = {
    "d": ("date", ["'0044-03-15 BC'", "'infinity'", "'-infinity'", "'1582-10-04'", "'4713-01-01 BC'", "'0001-01-01'"]),
    "ts": ("timestamp", ["'0044-03-15 12:00 BC'", "'294276-12-31 23:59:59.999999'", "'4713-01-01 00:00:00 BC'", "'12016-11-04 13:51:30.1'"]),
    "ts3": ("timestamp(3)", ["'12016-11-04 13:51:30.1'", "'0044-03-15 12:00 BC'"]),
    "tt": ("timestamptz", ["'0044-03-15 12:00 BC'", "'294276-12-31 23:59:59.999999Z'", "'12016-11-04 13:51:30.1Z'", "'0001-01-01 00:00Z'"]),
}
RANGES = {
    "r": ("int4range", ["'[1,5]'", "'empty'", "'(,)'"]), "r8": ("int8range", ["'[1,5]'"]), "rn": ("numrange", ["'[1.50,2)'"]),
    "rt": ("tsrange", ["'[2016-11-04 13:51:30.5,)'"]), "rz": ("tstzrange", ["'[2016-11-04 13:51:30.5+02,infinity]'"]),
    "rd": ("daterange", ["'[2016-11-04,2016-11-05]'"]), "mr": ("int4multirange", ["'{[1,2),[5,9)}'"]),
}
SHAPES = {
    "pt": ("point", ["'(1.5,-2)'", "'(0,0)'", "'(1e300,1e-300)'"]), "ln": ("line", ["'{1,2,3}'"]),
    "ls": ("lseg", ["'[(0,0),(1,1)]'"]), "bx": ("box", ["'(1,1),(0,0)'"]), "pa": ("path", ["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"]),
    "po": ("polygon", ["'((0,0),(1,1),(1,0))'"]), "ci": ("circle", ["'<(0,0),1.5>'"]),
}
ODD = {
    "pair": ("pair", ["'(1,a)'"]), "tq": ("tsquery", ["'a & b'"]), "lsn": ("pg_lsn", ["'1/2'"]), "jp": ("jsonpath", ["'$.a'"]),
    "xi": ("xid", ["'7'"]), "x8": ("xid8", ["'7'"]), "ci": ("cid", ["'7'"]), "td": ("tid", ["'(1,2)'"]), "sn": ("pg_snapshot", ["'10:20:10,14'"]),
    "rc": ("regclass", ["'pg_class'"]), "rt": ("regtype", ["'int4'"]), "iv": ("int2vector", ["'1 2'"]), "ov": ("oidvector", ["'1 2'"]),
    "is": ("isbn", ["'0-393-04002-X'"]), "is13": ("isbn13", ["'978-0-393-04002-9'"]), "ean": ("ean13", ["'978-0-393-04002-9'"]),
    "mrs": ("int4multirange[]", ["'{\"{[1,2)}\"}'"]),
}
DOMAINS = {
    "dm": ("price", ["7.25"]), "dd": ("cheap", ["7.25"]), "da": ("numbers", ["'{1,2}'"]),
    "dv": ("shorty", ["'abc'"]), "ds": ("stamp", ["'2016-11-04 13:51:30.123'"]),
    "adm": ("price[]", ["'{7.25}'"]),
}
ARRAYS = {
    "ab": ("bool[]", ["'{t,f,NULL}'", "'{}'"]), "a2": ("int2[]", ["'{-32768}'", "'{}'"]), "a4": ("int4[]", ["'{1,NULL,-3}'", "'{}'"]),
    "a8": ("int8[]", ["'{9223372036854775807}'"]), "ao": ("oid[]", ["'{4294967295}'"]),
    "af4": ("float4[]", ["'{0.1,NaN,NULL}'"]), "af8": ("float8[]", ["'{0.1,Infinity}'"]),
    "an": ("numeric(5,1)[]", ["'{1.5,NULL}'"]), "anv": ("numeric[]", ["'{1.50,2}'"]),
    "at": ("text[]", ["E'{a,\"b c\",NULL,\"\",\"q\\\\\"x\",\"NULL\",\"{a,b}\"}'", "'{}'"]), "avc": ("varchar(5)[]", ["'{ab}'"]),
    "ac": ("char(3)[]", ["'{ab}'"]), "aqc": ('"char"[]', ["'{a}'"]), "act": ("ci.citext[]", ["'{Ab}'"]),
    "ad": ("date[]", ["'{2020-01-01,NULL}'"]), "atm": ("time[]", ["'{04:05:06}'"]),
    "atz": ("timetz[]", ["'{04:05:06+01}'"]), "ats": ("timestamp[]", ["'{2020-01-01 00:00:00.5}'"]),
    "att": ("timestamptz[]", ["'{2020-01-01 00:00:00+00}'"]), "au": ("uuid[]", ["'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'"]),
    "aj": ("json[]", ["'{1,\"{\\\"a\\\":1}\"}'"]), "ajb": ("jsonb[]", ["'{1}'"]), "aby": ("bytea[]", ["'{\"\\\\x01\"}'"]),
    "aip": ("inet[]", ["'{10.0.0.1}'"]), "acd": ("cidr[]", ["'{10.0.0.0/8}'"]), "ama": ("macaddr[]", ["'{08:00:2b:01:02:03}'"]),
    "am8": ("macaddr8[]", ["'{08:00:2b:01:02:03:04:05}'"]), "ar": ("int4range[]", ["'{\"[1,5)\"}'"]),
    "arn": ("numrange[]", ["'{\"[1,5)\"}'"]), "ahs": ("hstore[]", ["'{\"a=>1\"}'"]), "alt": ("ltree[]", ["'{a.b}'", "'{}'"]),
    "ae": ("mood[]", ["'{ok,sad}'", "'{}'"]), "am": ("money[]", ["'{1}'"]), "anm": ("name[]", ["'{a}'"]),
    "aiv": ("interval[]", ["'{1 day}'"]), "abt": ("bit(3)[]", ["'{101}'"]), "avb": ("varbit[]", ["'{101}'"]), "ax": ("xml[]", ["'{<a/>}'"]),
    "apt": ("point[]", ["'{\"(1,2)\"}'"]), "apr": ("pair[]", ["'{\"(1,a)\"}'"]), "atv": ("tsvector[]", ["'{a}'"]),
}
DEEP_ARRAYS = {"aa": ("int[][]", ["'{{1,2},{3,4}}'", "'{}'"]), "ab": ("int[]", ["'[0:1]={1,2}'"]), "at": ("text[]", ["'{{a},{b}}'"])}
BYTE_ARRAYS = {"aby": ARRAYS["aby"], "abt": ARRAYS["abt"]}
DATE_ARRAYS = {name: ARRAYS[name] for name in ("ad", "atm", "atz", "ats", "att")}
POINT = "010100000000000000000000f03f0000000000000040"
EXTENSIONS = {
    "geometry": [f"'{POINT.upper()}'", f"'0101000020E6100000{POINT[10:].upper()}'", "'010700000000000000'"],
    "geography": [f"'0101000020E6100000{POINT[10:].upper()}'"],
    "vector": ["'[1,2.5,-3e-05]'"], "halfvec": ["'[1,2.5,-3e-05]'"], "sparsevec": ["'{1:1,3:2.5}/5'"],
}
POSTGIS = {
    "g": ("geometry", ["'POINT(1 2)'", "'SRID=4326;LINESTRING(0 0,1 1.5,2 0)'", "'GEOMETRYCOLLECTION EMPTY'", "'POLYGON((0 0,1 0,1 1,0 0))'"]),
    "gp": ("geometry(Point,4326)", ["'SRID=4326;POINT(-0.5 1e10)'"]), "gz": ("geometry(PointZM)", ["'POINT(1 2 3 4)'"]),
    "gg": ("geography", ["'POINT(1 2)'", "'SRID=4326;POLYGON((0 0,1 0,1 1,0 0))'"]), "ggp": ("geography(Point)", ["'POINT(-110 30)'"]),
    "ga": ("geometry[]", ["ARRAY['POINT(1 2)'::geometry, NULL, 'SRID=3857;POINT(3 4)'::geometry]", "'{}'"]),
    "gga": ("geography[]", ["ARRAY['POINT(1 2)'::geography]"]), "bx": ("box2d", ["'BOX(0 0,1 1)'"]), "b3": ("box3d", ["'BOX3D(0 0 0,1 1 1)'"]),
}
HSTORE = {"hs": ("hstore", ["'a=>1, b=>NULL, \"c \\\"q\\\" d\"=>\"e, é\"'", "''", "'x=>\"\"'"])}


def columns(types):
    return ", ".join(f'"{name}" {kind}' for name, (kind, _) in types.items())


def rows(types, first=1):
    """VALUES of the rows, the first column being the row's number."""
    count = max(len(values) for _, values in types.values())
    return ", ".join("(" + ", ".join([str(first + i)] + [values[i] if i < len(values) else "NULL"
                                                         for _, values in types.values()]) + ")"
                     for i in range(count))


def table(name, types):
    return f"CREATE TABLE {name} (id int PRIMARY KEY, {columns(types)})"


def insert(name, types, first=1):
    return f"INSERT INTO {name} VALUES {rows(types, first)}"

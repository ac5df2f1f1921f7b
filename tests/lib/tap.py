"""A test program of sentences: each function with @test is a case; main() runs them as TAP.

    @test
    def a_group_is_listed(): ...

A case that raises is not ok, with the traceback as a comment; one that raises Skip is skipped.
Words after the program's own arguments choose the cases whose names contain one of them.
"""
import sys
import traceback


class Skip(Exception):
    """Something that the case needs cannot be had here."""


cases = []


def test(case):
    cases.append(case)
    return case


def check_equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def main(words):
    chosen = [case for case in cases if not words or any(word in case.__name__ for word in words)]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, case in enumerate(chosen, 1):
        outcome = "ok"
        reason = ""
        try:
            case()
        except Skip as skip:
            reason = f" # SKIP {skip}"
        except Exception:  # Whatever it is, the other cases go on.
            outcome = "not ok"
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        print(f"{outcome} {number} - {case.__name__}{reason}", flush=True)
    sys.exit(failed > 0)

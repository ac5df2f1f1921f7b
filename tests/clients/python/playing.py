"""What the Python clients' cases share: the broker that can be stopped, and waiting."""
import sys
import time

ADDRESS = sys.argv[1]
LIMIT_SECONDS = 100


def broker(order):
    """Has the broker killed (crash) or stopped in order (restart), and started again."""
    print("broker", order, flush=True)
    if sys.stdin.readline() != "up\n":
        raise AssertionError("the broker is not up again")


def until(true, step, what):
    """Calls step() until true(); step() is where the waiting is."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not after {LIMIT_SECONDS} s: {what()}")
        step()


def thrown(call, *arguments, **named):
    """What a call raises; nothing raised is an error."""
    try:
        call(*arguments, **named)
    except Exception as error:  # Whatever it is, the case compares it.
        return error
    raise AssertionError("nothing was raised")

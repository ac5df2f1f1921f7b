"""kill -9 of host, worker, broker and PostgreSQL while random sessions change tables: see
capture_scene.py.

usage: capture_test.py SLUICE [WORD…]     SEED=N replays the plan; SECONDS=N goes on for longer
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from capture_scene import Scene, need_server
from tap import main, test

PROGRAM = sys.argv[1]
SECONDS = float(os.environ.get("SECONDS", 16))


@test
def the_topics_are_the_tables_when_the_host_is_killed():
    with Scene(PROGRAM) as scene:
        scene.play(SECONDS / 6, scene.kill_host)
        scene.check()


@test
def the_topics_are_the_tables_when_the_worker_is_killed():
    with Scene(PROGRAM) as scene:
        scene.play(SECONDS / 6, scene.kill_worker)
        scene.check()


@test
def the_topics_are_the_tables_when_the_broker_is_killed():
    with Scene(PROGRAM) as scene:
        scene.play(SECONDS / 6, scene.kill_broker)
        scene.check()


@test
def the_topics_are_the_tables_when_the_server_is_killed():
    with Scene(PROGRAM) as scene:
        scene.play(SECONDS / 6, scene.kill_server, scene.kill_link)
        scene.check()


@test
def the_topics_are_the_tables_when_everything_is_killed():
    with Scene(PROGRAM, rows=300) as scene:
        scene.play(SECONDS / 3, scene.kill_host, scene.kill_worker, scene.kill_broker,
                   scene.kill_server, scene.kill_link, scene.kill_two)
        scene.check()


need_server()
main(sys.argv[2:])

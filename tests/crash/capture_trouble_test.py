"""Everything short of a kill while random sessions change tables: processes that stand still,
connections that are cut or go dead, a server that is restarted or promoted, a log whose disk is
full. See capture_scene.py.

usage: capture_trouble_test.py SLUICE LIBRARY [WORD…]  SEED=N replays; SECONDS=N goes on for longer
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "disk")]
from capture_scene import Scene, need_server
from preload import DiskBroker
from tap import main, test

PROGRAM, LIBRARY = sys.argv[1:3]
SECONDS = float(os.environ.get("SECONDS", 8))
STILL_MAX = min(20, SECONDS / 10)


@test
def the_topics_are_the_tables_when_processes_stand_still():
    with Scene(PROGRAM) as scene:
        scene.play(SECONDS / 4, *(lambda one=one: one(STILL_MAX) for one in (
            scene.freeze_host, scene.freeze_worker, scene.freeze_broker, scene.freeze_server)))
        scene.check()


@test
def the_topics_are_the_tables_when_connections_break():
    with Scene(PROGRAM, links=True) as scene:
        scene.play(SECONDS / 4, scene.cut_server, scene.cut_log, scene.deafen_server,
                   lambda: scene.hold_ways(STILL_MAX))
        scene.check()


@test
def the_topics_are_the_tables_when_the_server_is_restarted_or_promoted():
    with Scene(PROGRAM) as scene:
        scene.play(SECONDS / 4, scene.restart_server, scene.promote_server)
        scene.check()


@test
def the_topics_are_the_tables_when_the_logs_disk_is_full():
    with Scene(PROGRAM, make_broker=lambda program, settings: DiskBroker(
            program, LIBRARY, settings)) as scene:
        scene.play(SECONDS / 4, lambda: scene.fill_disk(STILL_MAX))
        scene.check()


need_server()
main(sys.argv[3:])

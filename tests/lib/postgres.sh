#!/bin/sh
# A PostgreSQL server of one's own: a private cluster on a Unix socket and a free port of 127.0.0.1.
# usage: postgres.sh start DIR [SETTING=VALUE]…   creates the cluster in DIR (which must not exist) and starts it
#        postgres.sh again DIR                    starts it again
#        postgres.sh stop DIR [MODE]              stops it (fast, or smart, immediate)
#        postgres.sh age DIR                      lets the numbers of transactions of a stopped server, whose rows are
#                                                 frozen, begin anew after some 200 more
#        postgres.sh sql DIR [PSQL-OPTION]…       psql, as the superuser, in database $PGDATABASE or postgres
#        postgres.sh drop DIR                     stops it and removes DIR
# DIR/port holds the port and DIR is the socket's folder; role and database are postgres, without a password.
# PostgreSQL refuses to run as root, so root runs it as the user nobody.
set -eu

find_programs() {
  for folder in /usr/lib/postgresql/*/bin; do
    [ -x "$folder/initdb" ] && programs=$folder
  done
  if [ -z "${programs:-}" ]; then
    echo "no PostgreSQL server: apt-get install postgresql" >&2
    exit 3
  fi
}

as_owner() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/ "$@")
  else
    (cd / && exec "$@")
  fi
}

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_server() {
  as_owner "$programs/pg_ctl" -s -w -t 120 -D "$1/data" -l "$1/log" start || { tail -n 20 "$1/log" >&2; exit 1; }
}

create_cluster() {
  dir=$1
  shift
  mkdir -p "$dir"
  [ "$(id -u)" != 0 ] || chown nobody:nogroup "$dir"
  as_owner "$programs/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb" 2>&1 ||
    { cat "$dir/initdb" >&2; exit 1; }
  free_port >"$dir/port"
  {
    echo "port = $(cat "$dir/port")"
    echo "listen_addresses = '127.0.0.1'"
    echo "unix_socket_directories = '$dir'"
    echo "wal_level = logical"
    echo "max_wal_senders = 16"
    echo "max_replication_slots = 16"
    echo "autovacuum = off"
    for setting; do echo "${setting%%=*} = '${setting#*=}'"; done
  } >>"$dir/data/postgresql.conf"
}

command=${1:-}
dir=${2:-}
[ $# -ge 2 ] || { sed -n '2,12p' "$0" >&2; exit 2; }
shift 2
find_programs
case $command in
start)
  create_cluster "$dir" "$@"
  start_server "$dir"
  ;;
again) start_server "$dir" ;;
stop) as_owner "$programs/pg_ctl" -s -w -t 120 -D "$dir/data" -m "${1:-fast}" stop ;;
age)
  as_owner dd if=/dev/zero of="$dir/data/pg_xact/0FFF" bs=262144 count=1 status=none
  as_owner "$programs/pg_resetwal" -x 4294967096 -u 4294966896 -D "$dir/data" >/dev/null
  ;;
sql) exec "$programs/psql" -X -q -v ON_ERROR_STOP=1 -h "$dir" -p "$(cat "$dir/port")" -U postgres "$@" "${PGDATABASE:-postgres}" ;;
drop)
  [ ! -f "$dir/data/postmaster.pid" ] || as_owner "$programs/pg_ctl" -s -w -t 120 -D "$dir/data" -m immediate stop || true
  rm -rf "$dir"
  ;;
*) sed -n '2,12p' "$0" >&2; exit 2 ;;
esac

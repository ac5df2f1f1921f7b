# Every fuzzer of the project: builds them with clang in build-fuzz/ and runs each for some time.
# Sourced by ./check, which has setup() and build().

# A fuzzer below the build folder, and its inputs.
fuzzers="broker/broker-fuzz broker/corpus
  broker/group/group-fuzz broker/group/corpus
  broker/log/log-fuzz broker/log/corpus
  connectors/http/http-fuzz connectors/http/corpus
  connectors/postgres/postgres-fuzz connectors/postgres/corpus
  lib/json-fuzz lib/json/corpus
  lib/keystore-fuzz lib/keystore/stores
  lib/lib-fuzz lib/corpus
  protocol/protocol-fuzz protocol/corpus
  worker/header-fuzz worker/host/corpus
  worker/rest-fuzz worker/rest/corpus"

# fuzz_one FUZZER CORPUS SECONDS: what it learns stays in build-fuzz/learned/, what it finds in
# build-fuzz/found/.
fuzz_one() {
  name=$(basename "$1")
  mkdir -p "build-fuzz/learned/$name" build-fuzz/found
  log=build-fuzz/found/$name.log
  if "build-fuzz/$1" -max_total_time="$3" -timeout=60 -rss_limit_mb=4096 -max_len=8000 \
    -artifact_prefix="build-fuzz/found/$name-" "build-fuzz/learned/$name" "$2" >"$log" 2>&1; then
    echo "ok $name: $(grep -c . "$log") lines, $(sed -n 's/^Done \([0-9]* runs.*\)/\1/p' "$log")"
    rm -f "$log"
  else
    grep -v '^#' "$log" | head -n 60
    echo "not ok $name: see $log; build-fuzz/$1 FILE runs what it found again"
    return 1
  fi
}

# fuzz_all SECONDS: of each.
fuzz_all() {
  CC=clang setup build-fuzz -Dfuzz=true -Dbuildtype=debugoptimized \
    -Db_sanitize=address,undefined -Db_lundef=false
  build build-fuzz
  failed=0
  for built in $(cd build-fuzz && find . -name '*-fuzz' -type f | sed 's|^\./||' | sort); do
    corpus=$(echo "$fuzzers" | awk -v name="$built" '$1 == name { print $2 }')
    if [ -z "$corpus" ]; then
      echo "not ok $built: tests/lib/fuzz.sh does not name its inputs"
      failed=1
      continue
    fi
    fuzz_one "$built" "$corpus" "$1" || failed=1
  done
  return $failed
}

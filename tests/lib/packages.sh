# What Sluice needs of Debian's packages, and the one function that installs what is missing.
# Sourced by ./quickstart and ./check.

packages_build="gcc libc6-dev meson ninja-build pkg-config ccache
  librdkafka-dev libjansson-dev libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libpq-dev libsqlite3-dev
  libssl-dev zlib1g-dev libzstd-dev liblz4-dev libsnappy-dev libxxhash-dev libpcre2-dev"
packages_fuzz="clang libclang-rt-14-dev llvm"
packages_quickstart="postgresql-15 python3 procps"
packages_test="clang-format g++ make kcat python3-kafka python3-confluent-kafka valgrind
  postgresql-15 python3 python3-prometheus-client curl openssl procps"

# Prints the packages of the list "$1" that are not installed.
packages_missing() {
  for package in $1; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || printf '%s ' "$package"
  done
}

# Installs what is missing of the list "$1", saying which; as root, or through sudo.
packages_install() {
  missing=$(packages_missing "$1")
  [ -n "$missing" ] || return 0
  echo "installing from Debian's packages: $missing"
  root=
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "these packages are missing and only root can install them: $missing" >&2
      echo "run as root: apt-get install $missing" >&2
      return 1
    fi
    root=sudo
  fi
  # No cluster is to start by itself: only private ones are used here.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    $root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" |
      $root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  $root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || return 1
  # shellcheck disable=SC2086
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confold $missing >"${TMPDIR:-/tmp}/sluice-apt.$$" 2>&1 || {
    cat "${TMPDIR:-/tmp}/sluice-apt.$$" >&2
    return 1
  }
  rm -f "${TMPDIR:-/tmp}/sluice-apt.$$"
}

#!/bin/sh
# Copydesk, ready to run: the first call makes .venv beside this script, each call runs what it is asked for.
#
#   ./run.sh COMMAND ...      any copydesk command in the current folder, e.g. ./run.sh demo
#   ./run.sh test [ARG ...]   the test suite; arguments go to pytest
#   ./run.sh check            format, lint, types, architecture
#   ./run.sh bench NAME ...   one benchmark; its last line is JSON
#   ./run.sh pins [ARG ...]   compile the requirements files again from pyproject.toml; arguments go to uv
#
# It needs python3 >= 3.11 with its venv module, and nothing else: all dependencies are wheels.
set -eu

# Python must not find modules through the caller's variables, nor in the current folder (a stray tasks.py there would
# hide ours); children inherit this.
unset PYTHONHOME PYTHONPATH
export PYTHONSAFEPATH=1
export CALLED_AS="$0" # what the demo tells people to type next

script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
here=$(cd -- "$(dirname -- "$script")" && pwd -P)
venv=$here/.venv
python=$venv/bin/python
unfinished=$venv/copydesk-unfinished
told=

die() {
    printf 'copydesk: %s\n' "$1" >&2
    exit "${2-1}"
}

# Set $base to the real path of the first good interpreter: a shim or another environment may come and go.
find_python() {
    probe='
import os, sys
if sys.version_info < (3, 11):
    sys.exit(print("old", sys.version.split()[0]))
try:
    import ensurepip, venv
except ImportError:
    sys.exit(print("bare"))
print(os.path.realpath(sys.executable))'
    problem='python3 is not installed; Copydesk needs Python 3.11 or newer (Debian: apt install python3 python3-venv)'
    for name in python3.13 python3.12 python3.11 python3; do
        base=$("$name" -c "$probe" 2>/dev/null) || continue
        case $base in
            /*) return ;;
            bare) problem="$name has no venv module; install it (Debian: apt install python3-venv)" ;;
            old*) problem="python3 is version ${base#old }; Copydesk needs Python 3.11 or newer" ;;
        esac
    done
    die "$problem"
}

# stamp FILE: where it is written that FILE is installed. wanted FILE: what must stand there, the place and the digest.
stamp() { printf '%s/copydesk-%s.stamp' "$venv" "$1"; }

wanted() { printf '%s %s\n' "$venv" "$(cksum <"$here/$1")"; }

current() {
    [ -x "$python" ] && [ ! -e "$unfinished" ] && [ "$(cat -- "$(stamp "$1")" 2>/dev/null)" = "$(wanted "$1")" ]
}

# Can what is in .venv be built upon? Not if a set-up was cut short, if it was moved here, or if its Python is gone.
usable() {
    [ ! -e "$unfinished" ] || return 1
    for mark in "$venv"/copydesk-*.stamp; do
        [ ! -e "$mark" ] || case $(cat -- "$mark") in "$venv "*) ;; *) return 1 ;; esac
    done
    "$python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# The packages are put on the path by one line in a .pth file, and the command is a script of three lines. An editable
# install would do the same, but needs a build backend, pinned and installed, on every machine.
link_packages() {
    site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$here" >"$site/copydesk.pth"
    "$python" - "$venv/bin/copydesk" <<'SCRIPT'
import pathlib, sys
script = pathlib.Path(sys.argv[1])
script.write_text(f"#!{sys.executable}\nfrom console.cli import main\n\nmain()\n", "utf-8")
script.chmod(0o755)
SCRIPT
}

# set_up FILE: install the requirements in FILE unless that is done; two calls at once wait for each other.
set_up() {
    ! current "$1" || return 0
    find_python
    [ -w "$here" ] || die "cannot write to $here, where .venv has to go; use a copy of your own"
    # The lock is on the open file, so it lasts as long as this shell or a pip it left behind, and needs no clean-up.
    exec 9<"$here/run.sh"
    "$base" -c 'import fcntl; fcntl.flock(0, fcntl.LOCK_EX)' <&9
    if ! current "$1"; then
        [ -n "$told" ] || printf 'Setting up Copydesk in .venv (once, about a minute)…\n' >&2
        told=yes
        install_into_venv "$1" || die "the set-up failed; the reason is above, and the next call tries again"
    fi
    exec 9<&-
}

install_into_venv() {
    if ! usable; then
        rm -rf -- "$venv" && mkdir -- "$venv" && : >"$unfinished" && "$base" -m venv "$venv" || return 1
    fi
    : >"$unfinished" || return 1
    [ -w "${HOME-}" ] || export PIP_NO_CACHE_DIR=1
    # The file names everything with its hash, so there is nothing to resolve (--no-deps) and nothing to build.
    "$python" -m pip --quiet --disable-pip-version-check --no-input install --root-user-action=ignore \
        --no-deps --only-binary :all: --require-hashes -r "$here/$1" &&
        link_packages && wanted "$1" >"$(stamp "$1")" && rm -f -- "$unfinished"
}

for_use() { set_up requirements.txt; }

for_development() {
    for_use
    set_up requirements-dev.txt
}

# The browser tests need a Chromium. Where we may not install one they skip, and say so.
browser() {
    ! command -v chromium >/dev/null 2>&1 || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        printf 'Installing Chromium for the browser tests…\n' >&2
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } \
            >/dev/null 2>&1 && return 0
    fi
    printf 'copydesk: no chromium here and no way to install it: the browser tests are skipped\n' >&2
}

run_tests() {
    cd -- "$here"
    browser
    [ $# -gt 0 ] || set -- --quiet --numprocesses 3 # on two cores: many tests wait for others
    exec "$python" -m pytest "$@"
}

check() {
    cd -- "$here"
    "$python" -m ruff format --check --quiet . || die "some files are not formatted: .venv/bin/ruff format ."
    "$python" -m ruff check --quiet .
    "$python" -m mypy
    "$python" -m pytest --quiet tests/test_architecture.py
}

# compile_pins TARGET ARG...: the compiled file names neither a registry nor a path of this machine.
compile_pins() {
    target=$1
    shift
    "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header \
        --output-file "$target" "$@"
}

pins() {
    cd -- "$here"
    tool=$(mktemp -d)
    trap 'rm -rf -- "$tool"' EXIT
    find_python
    uv=$(command -v uv) || {
        "$base" -m venv "$tool" && "$tool/bin/python" -m pip --quiet --disable-pip-version-check install uv
        uv=$tool/bin/uv
    }
    compile_pins requirements.txt pyproject.toml "$@"
    compile_pins requirements-dev.txt pyproject.toml --group dev --constraint requirements.txt "$@"
    "$base" -c 'import tomllib
extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
print(*extras["parquet"], sep="\n")' >"$tool/parquet.in"
    compile_pins requirements-parquet.txt "$tool/parquet.in" --no-annotate --constraint requirements.txt "$@"
}

case ${1-} in
    test)
        shift
        for_development
        run_tests "$@"
        ;;
    check)
        for_development
        check
        ;;
    bench)
        [ $# -ge 2 ] || die "which benchmark? ./run.sh bench NAME ..." 2
        shift
        for_development
        name=$(printf %s "$1" | tr - _) # dedup-growth is benchmarks/dedup_growth.py
        shift
        exec "$python" -m "benchmarks.$name" "$@"
        ;;
    pins)
        shift
        pins "$@"
        ;;
    *)
        for_use
        exec "$python" "$venv/bin/copydesk" "$@"
        ;;
esac

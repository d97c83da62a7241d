# shellcheck shell=bash
# What the front doors share; sourced, never run. Every door starts with `set -eu` and this file.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit

say() {
    printf '== %s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

wrong() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 2
}

# The comment block at the top of the door that was called, as its help.
help() {
    sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"
    exit 0
}

# The part of a log that a person wants: the failed commands of a build, or else its end.
what_failed() {
    if grep -q '^FAILED:' "$1"; then
        awk '/^\[[0-9]+\/[0-9]+\]/ {show = 0} /^FAILED:/ {show = 1} show' "$1" | cut -c1-400 | head -n 120
    else
        tail -n 40 "$1"
    fi
}

# quietly SENTENCE LOG COMMAND...: one line, with the seconds it took. What the command says goes into LOG, of which the
# telling part is shown if it fails.
quietly() {
    local sentence=$1 log=$2 begun=$SECONDS
    shift 2
    mkdir -p "$(dirname "$log")"
    printf '== %s ... ' "$sentence" >&2
    if "$@" >"$log" 2>&1; then
        printf 'done in %d s\n' $((SECONDS - begun)) >&2
        return 0
    fi
    printf 'failed\n' >&2
    what_failed "$log" >&2
    printf '%s: %s failed; all that was said: %s\n' "$(basename "$0")" "$sentence" "$top/$log" >&2
    return 1
}

# Programs that are run from a build folder are told where the store's library is, if it was fetched.
store_library() {
    if [ -z "${KIZASHI_CHDB-}" ] && [ -f var/chdb/libchdb.so ]; then
        export KIZASHI_CHDB=$top/var/chdb/libchdb.so
    fi
}

# setup FOLDER [MESON OPTION...]: configure once, or bring the options of an older folder up to date.
setup() {
    local folder=$1
    shift
    if [ -f "$folder/build.ninja" ]; then
        # A folder from before an option was there must read the options anew.
        [ $# = 0 ] || meson configure "$folder" "$@" || meson setup --reconfigure "$folder" "$@" || return 1
    else
        rm -rf "$folder"
        meson setup "$folder" "$@" || return 1
    fi >&2
}

# compiler NAME: how it is called, through ccache if that is installed. (Meson finds ccache itself for the default one.)
compiler() {
    if command -v ccache >/dev/null; then
        echo "ccache $1"
    else
        echo "$1"
    fi
}

in_portal() {
    (cd portal && "$@")
}

# build_portal LOG: the portal's files, which the build embeds. Packages are fetched only when the lock file changed.
build_portal() {
    [ -f portal/package.json ] || return 0
    if ! cmp -s portal/package-lock.json portal/node_modules/.lock-installed; then
        quietly "portal: fetching packages" "$1" in_portal npm ci --no-fund --no-audit || return 1
        cp portal/package-lock.json portal/node_modules/.lock-installed
    fi
    quietly "portal: building" "$1" in_portal npm run --silent build
}

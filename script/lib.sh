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

# setup FOLDER [MESON OPTION...]: configure once, or bring the options of an older folder up to date.
setup() {
    local folder=$1
    shift
    if [ -f "$folder/build.ninja" ]; then
        [ $# = 0 ] || meson configure "$folder" "$@" || return 1
    else
        rm -rf "$folder"
        meson setup "$folder" "$@" || return 1
    fi >&2
}

# The portal's files, which the build embeds. Packages are fetched only when the lock file changed.
build_portal() {
    [ -f portal/package.json ] || return 0
    if ! cmp -s portal/package-lock.json portal/node_modules/.lock-installed; then
        say "portal: fetching packages"
        (cd portal && npm ci --no-fund --no-audit) >&2 || return 1
        cp portal/package-lock.json portal/node_modules/.lock-installed
    fi
    say "portal: building"
    (cd portal && npm run --silent build) >&2
}

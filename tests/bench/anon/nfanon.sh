#!/usr/bin/env bash
# Crypto-PAn beside nfdump's nfanon, on the same addresses in the same minute.
#
#   tests/bench/anon/nfanon.sh BUILD [CAPTURE]
#
# The capture (without one: half a day of a simulated telescope) becomes flows by nfpcapd, a flow a packet or so, and
# nfanon goes over them; what reading and writing alone cost is measured with nfdump -w and taken off. bench_anon takes
# the addresses of the same capture. Processor seconds, rounds in turn.
set -eu
build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
capture=${2:-}
if [ -z "$capture" ]; then
    "$build/src/cmd/kizashi" simulate telescope --out "$folder/sim" --sites 1 --prefix 21 --days 0.5 --events none 2>/dev/null
    capture=$(echo "$folder"/sim/*.pcap)
fi
mkdir "$folder/flows"
nfpcapd -r "$capture" -w "$folder/flows" >/dev/null 2>&1
nfdump -R "$folder/flows" -w "$folder/all" >/dev/null 2>&1
flows=$(nfdump -r "$folder/all" -I | sed -n 's/^Flows: //p')
echo "load $(cut -d' ' -f1 /proc/loadavg), $flows flows, two addresses each"

seconds() { # processor seconds of a command
    local TIMEFORMAT='%U %S'
    { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}

for _ in 1 2 3; do
    copy=$(seconds nfdump -r "$folder/all" -w "$folder/copy")
    anon=$(seconds nfanon -K 32-char-str-for-AES-key-and-pad. -q -r "$folder/all" -w "$folder/anon")
    awk -v n="$flows" -v a="$anon" -v c="$copy" 'BEGIN {
        printf "nfanon %.2f s, nfdump -w %.2f s: %.2f M addresses/s, %.2f without reading and writing\n", a, c,
            2 * n / a / 1e6, (a > c ? 2 * n / (a - c) / 1e6 : 0) }'
    "$build/tests/bench/anon/bench_anon" "$capture" | grep -E "Crypto-PAn IPv4|addresses$"
done

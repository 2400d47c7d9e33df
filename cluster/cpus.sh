#!/bin/sh
# How many CPUs this machine should give to Ray: no more than it has memory for.
#
# A worker's data may grow to 3 GiB and the process takes less than half a GiB beside it; Ray itself takes about 1 GiB,
# and its memory monitor ends workers when the machine is 95 % full.
set -eu
kilobytes=$(awk '/^MemTotal:/ { print $2 }' "${MEMINFO:-/proc/meminfo}")
cpus=$(nproc)
room=$(((kilobytes * 95 / 100 - (1 << 20)) / (7 << 19)))
[ "$room" -ge 1 ] || room=1
[ "$room" -lt "$cpus" ] || room=$cpus
echo "$room"

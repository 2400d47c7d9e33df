#!/bin/sh
# A Ray cluster of this machine, or one more node for a cluster: always with token authentication.
#
#   cluster/local.sh start [CPUS]          a head with CPUS CPUs (default: all of this machine)
#   cluster/local.sh join ADDRESS [CPUS]   a node more, for the head at ADDRESS (host:port)
#   cluster/local.sh status                the nodes and what they have
#   cluster/local.sh stop                  end everything that this script has started here
#
# RAY_PORT (6379) and RAY_DASHBOARD_PORT (8265) are the head's ports, CLUSTER_STATE is where process ids are noted.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
PATH="$here/.venv/bin:$PATH"
port=${RAY_PORT:-6379}
dashboard=${RAY_DASHBOARD_PORT:-8265}
state=${CLUSTER_STATE:-${TMPDIR:-/tmp}/corpusforge-cluster-$(id -u)}

need_token() {
    if [ "${RAY_AUTH_MODE:-token}" != token ]; then
        echo "error: RAY_AUTH_MODE is '$RAY_AUTH_MODE'; without token authentication anybody who reaches the ports" \
            "runs code here. Set RAY_AUTH_MODE=token" >&2
        exit 1
    fi
    export RAY_AUTH_MODE=token
    if [ -n "${RAY_AUTH_TOKEN:-}" ]; then return; fi
    token=${RAY_AUTH_TOKEN_PATH:-$HOME/.ray/auth_token}
    if [ ! -s "$token" ]; then
        echo "error: no token in $token. Make one with: RAY_AUTH_MODE=token ray get-auth-token --generate" \
            "(on a further node: copy the head's)" >&2
        exit 1
    fi
}

launch() { # name, then the arguments of ray start
    name=$1
    shift
    mkdir -p "$state"
    if [ -e "$state/$name.pid" ] && kill -0 "$(cat "$state/$name.pid")" 2>/dev/null; then
        echo "error: the $name runs already (process $(cat "$state/$name.pid")). End it with: cluster/local.sh stop" >&2
        exit 1
    fi
    # A session of its own, so that stop ends just this node and not every Ray on the machine.
    # Port 0: any free one; the usual one may be taken by another Ray of this machine.
    setsid ray start --block --disable-usage-stats --dashboard-agent-listen-port 0 \
        --object-store-memory 104857600 "$@" >"$state/$name.log" 2>&1 &
    echo $! >"$state/$name.pid"
    pid=$!
    until=$(($(date +%s) + 120))
    until ready "$@"; do
        if ! kill -0 "$pid" 2>/dev/null || [ "$(date +%s)" -ge "$until" ]; then
            tail -n 20 "$state/$name.log" >&2
            kill -s KILL -- "-$pid" 2>/dev/null || true
            rm -f "$state/$name.pid"
            echo "error: the node did not start; the whole log is $state/$name.log" >&2
            exit 1
        fi
        sleep 1
    done
}

ready() {
    grep -q "Ray runtime started" "$state/$name.log" 2>/dev/null || return 1
    # A head takes jobs only once its agent is up.
    [ "$1" != --head ] || timeout 30 ray job submit --address "http://127.0.0.1:$dashboard" -- true >/dev/null 2>&1
}

case "${1:-}" in
start)
    need_token
    launch head --head --port "$port" --dashboard-host 127.0.0.1 --dashboard-port "$dashboard" \
        --num-cpus "${2:-$(nproc)}"
    echo "the cluster runs. Give it work, and look at it:"
    echo "  export RAY_AUTH_MODE=token"
    echo "  corpusforge build web_ja --input my.warc.gz --root out --address http://127.0.0.1:$dashboard"
    echo "  ray job list --address http://127.0.0.1:$dashboard"
    ;;
join)
    need_token
    # Nodes of one machine that share a folder tear down each other's working directories. A short path: sockets in it.
    launch "node-$$" --temp-dir "${TMPDIR:-/tmp}/ray-$$" --address "${2:?host:port of the head}" --num-cpus "${3:-$(nproc)}"
    echo "the node has joined $2"
    ;;
status)
    need_token
    ray status --address "127.0.0.1:$port"
    ;;
stop)
    for file in "$state"/*.pid; do
        [ -e "$file" ] || continue
        kill -s TERM -- "-$(cat "$file")" 2>/dev/null || true
    done
    sleep 2
    for file in "$state"/*.pid; do
        [ -e "$file" ] || continue
        kill -s KILL -- "-$(cat "$file")" 2>/dev/null || true
        echo "ended $(basename "$file" .pid) (process $(cat "$file"))"
        rm -f "$file"
    done
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

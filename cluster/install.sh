#!/bin/sh
# Install this checkout, with the versions of constraints.txt, into the environment of an interpreter.
#
#   cluster/install.sh PYTHON           a node without containers: ~/corpusforge-env/bin/python
#   cluster/install.sh --image PYTHON   the Dockerfile: also Debian packages and the user that Ray runs as
#
# Nothing is written into the checkout, which may be mounted read-only.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

image=
if [ "${1:-}" = --image ]; then
    image=yes
    shift
fi
python=${1:?"usage: cluster/install.sh [--image] PYTHON"}

if [ "$image" ]; then
    # wget: KubeRay's probes. rsync and ssh: `ray up` copies files with the one and starts workers with the other.
    apt-get update -q
    apt-get install -y -q --no-install-recommends openssh-client rsync wget
    rm -rf /var/lib/apt/lists/*
    # The id is the one of the first user of most machines, so that a mounted token is readable and stays mode 600.
    useradd --create-home --uid 1000 --shell /bin/bash corpusforge
    install -d -o 1000 -g 1000 -m 700 /home/corpusforge/.ray
fi

source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
# A build in the checkout would take up what an earlier one has left in build/.
cp -R "$here/pyproject.toml" "$here/README.md" "$here/LICENSE" "$here/corpusforge" "$source"
"$python" -m pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
    --constraint "$here/constraints.txt" "$source[aws,sentencepiece]"

# Prove it from elsewhere: in the checkout, Python would import the checkout.
cd /
"$python" -m pip check --disable-pip-version-check
"$python" -m corpusforge recipes

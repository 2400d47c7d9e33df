#!/bin/sh
# Install this checkout, with the versions of constraints.txt, into the environment of an interpreter.
#
#   cluster/install.sh PYTHON           a node without containers: ~/corpusforge-env/bin/python
#   cluster/install.sh --image PYTHON   the Dockerfile: also Debian packages and the user that Ray runs as
#
# EXTRAS=train installs what training needs beside it, and torch before it: the usual build, or that of TORCH_INDEX.
# Nothing is written into the checkout, which may be mounted read-only.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

extras=aws,sentencepiece${EXTRAS:+,$EXTRAS}
train=
case ",$extras," in *,train,*) train=yes ;; esac

image=
if [ "${1:-}" = --image ]; then
    image=yes
    shift
fi
python=${1:?"usage: cluster/install.sh [--image] PYTHON"}

if [ "$image" ]; then
    # wget: KubeRay's probes. rsync and ssh: `ray up` copies files with the one and starts workers with the other.
    apt-get update -q
    # g++, with training: torch.compile has Triton write kernels, which are started by C that it compiles on the node.
    apt-get install -y -q --no-install-recommends openssh-client rsync wget ${train:+g++}
    rm -rf /var/lib/apt/lists/*
    # The id is the one of the first user of most machines, so that a mounted token is readable and stays mode 600.
    useradd --create-home --uid 1000 --shell /bin/bash corpusforge
    install -d -o 1000 -g 1000 -m 700 /home/corpusforge/.ray
fi

source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
# A build in the checkout would take up what an earlier one has left in build/.
cp -R "$here/pyproject.toml" "$here/README.md" "$here/LICENSE" "$here/corpusforge" "$source"
add() {
    "$python" -m pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --constraint "$here/constraints.txt" "$@"
}

if [ "$train" ]; then
    # DeepSpeed is built, not downloaded, and its build looks at torch and nothing else: torch is there first.
    # shellcheck disable=SC2086  # two words, or none
    add "$(grep '^torch==' "$here/constraints.txt")" ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX}
    add setuptools wheel ninja
    # Where an image is built there is no GPU. Nothing of DeepSpeed is compiled, so it takes the GPUs that it meets later.
    export DS_ACCELERATOR=cpu
    add --no-build-isolation "$source[$extras]"
else
    add "$source[$extras]"
fi

# Prove it from elsewhere: in the checkout, Python would import the checkout.
cd /
"$python" -m pip check --disable-pip-version-check
"$python" -m corpusforge recipes
[ -z "$train" ] || "$python" -c "import deepspeed, peft, ray.train.torch, transformers"

"""The manifests for Kubernetes: fields, pods, memory, tokens; each with its variants taken in."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from jsonschema import ValidationError

from corpusforge.cli import app
from corpusforge.engine.attempt import Resources
from corpusforge.ray_pool import OBJECT_STORE_BYTES
from tests.cluster.files import CLUSTER, KUBERAY, load, size
from tests.cluster.shape import resource

CASES = [
    ("raycluster.yaml", ()),
    ("raycluster.yaml", ("shared folder",)),
    ("raycluster.yaml", ("gpu passes",)),
    ("raycluster.yaml", ("shared folder", "gpu passes")),
    ("rayjob.yaml", ()),
    ("rayjob.yaml", ("shared folder",)),
    ("rayjob-train.yaml", ()),
    ("rayjob-train.yaml", ("several networks",)),
]
OLDEST, NEWEST = "1.31.0", kubernetes_validate.latest_version()
"""Versions of Kubernetes whose schemas the pods are held against."""
every = pytest.mark.parametrize(("name", "variants"), CASES, ids=lambda v: v if isinstance(v, str) else "+".join(v))


def manifest(name: str, variants: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = load(KUBERAY / name, *variants)
    return made


def cluster_of(made: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = made["spec"]
    found: dict[str, Any] = spec.get("rayClusterSpec", spec)
    return found


def templates(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every pod template of a manifest: submitter, head, workers."""
    if "submitterPodTemplate" in made["spec"]:
        yield made["spec"]["submitterPodTemplate"]
    cluster = cluster_of(made)
    yield from (group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]))


def pod(template: dict[str, Any]) -> dict[str, Any]:
    """A template as the one kind of Kubernetes' own that holds nothing else."""
    return {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "t"}, "template": template}


@every
def test_a_manifest_uses_fields_that_kuberay_has(name: str, variants: tuple[str, ...]) -> None:
    made = manifest(name, variants)
    jsonschema.validate(made, resource(made["kind"]))


@pytest.mark.parametrize("name", ["raycluster.yaml", "rayjob.yaml", "rayjob-train.yaml"])
def test_a_misspelt_field_would_be_found(name: str) -> None:
    made = manifest(name)
    cluster = cluster_of(made)
    cluster["authOption"] = cluster.pop("authOptions")
    with pytest.raises(ValidationError, match="authOption"):
        jsonschema.validate(made, resource(made["kind"]))


@every
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_pods_fit_the_schemas_of_kubernetes(name: str, variants: tuple[str, ...], version: str) -> None:
    for template in templates(manifest(name, variants)):
        kubernetes_validate.validate(pod(template), version, strict=True)


def test_a_wrong_pod_would_be_found() -> None:
    template, *_ = templates(manifest("raycluster.yaml"))
    template["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod(template), NEWEST, strict=True)


@every
def test_a_token_is_always_asked_for(name: str, variants: tuple[str, ...]) -> None:
    assert cluster_of(manifest(name, variants))["authOptions"] == {"mode": "token"}


@every
def test_no_pod_runs_as_root_or_may_become_it(name: str, variants: tuple[str, ...]) -> None:
    for template in templates(manifest(name, variants)):
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        assert template["spec"]["securityContext"]["runAsUser"] == 1000
        for container in template["spec"]["containers"]:
            allowed = container["securityContext"]
            assert (allowed["allowPrivilegeEscalation"], allowed["capabilities"]) == (False, {"drop": ["ALL"]})


@every
def test_a_pod_has_memory_for_a_worker_on_every_cpu(name: str, variants: tuple[str, ...]) -> None:
    for group in cluster_of(manifest(name, variants))["workerGroupSpecs"]:
        (container,) = group["template"]["spec"]["containers"]
        given = container["resources"]
        assert given["requests"] == given["limits"]
        need = int(given["limits"]["cpu"]) * (Resources().memory + (1 << 29)) + (1 << 30)
        assert need <= 0.95 * size(given["limits"]["memory"])
        assert int(group["rayStartParams"]["object-store-memory"]) == OBJECT_STORE_BYTES


@every
def test_the_head_works_on_no_unit_and_is_on_no_spot_node(name: str, variants: tuple[str, ...]) -> None:
    cluster = cluster_of(manifest(name, variants))
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert "tolerations" not in cluster["headGroupSpec"]["template"]["spec"]
    taints = {t["key"] for t in cluster["workerGroupSpecs"][0]["template"]["spec"]["tolerations"]}
    assert {"cloud.google.com/gke-spot", "kubernetes.azure.com/scalesetpriority"} <= taints


@every
def test_a_cluster_for_builds_grows_from_nothing_and_pods_are_replaced(name: str, variants: tuple[str, ...]) -> None:
    made = manifest(name, variants)
    cluster = cluster_of(made)
    for group in [] if name == "rayjob-train.yaml" else cluster["workerGroupSpecs"]:
        assert cluster["enableInTreeAutoscaling"] is True
        assert (group["minReplicas"], group["replicas"]) == (0, 0)
        assert group["maxReplicas"] >= 2
    # The second autoscaler asks for pods that Kubernetes does not restart: it starts new ones.
    assert {t["spec"]["restartPolicy"] for t in templates(made)} == {"Never"}


def test_gpu_passes_have_a_group_that_declares_its_gpus() -> None:
    groups = cluster_of(manifest("raycluster.yaml", ("gpu passes",)))["workerGroupSpecs"]
    assert [group["groupName"] for group in groups] == ["cpu", "gpu"]
    limits = groups[1]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert groups[1]["rayStartParams"]["num-gpus"] == limits["nvidia.com/gpu"]


@pytest.mark.parametrize("name", ["raycluster.yaml", "rayjob.yaml"])
def test_every_node_mounts_the_shared_folder_at_one_path(name: str) -> None:
    cluster = cluster_of(manifest(name, ("shared folder",)))
    claim = manifest("shared-folder.yaml")
    kubernetes_validate.validate(claim, NEWEST, strict=True)
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        (volume,), (mount,) = pod["volumes"], pod["containers"][0]["volumeMounts"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert (mount["name"], mount["mountPath"]) == (volume["name"], "/corpora")


def test_the_job_has_the_cluster_of_the_cluster_file() -> None:
    for variants in ((), ("shared folder",)):
        assert cluster_of(manifest("rayjob.yaml", variants)) == manifest("raycluster.yaml", variants)["spec"]


def test_the_job_builds_with_as_many_workers_as_the_cluster_can_have() -> None:
    made = manifest("rayjob.yaml")
    words = shlex.split(made["spec"]["entrypoint"])
    assert words[:4] == ["python", "-m", "corpusforge", "build"]
    (group,) = cluster_of(made)["workerGroupSpecs"]
    cpus = int(group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
    assert int(words[words.index("--workers") + 1]) == group["maxReplicas"] * cpus
    assert words[words.index("--address") + 1] == "auto"
    assert "build" in {command.callback.__name__ for command in app.registered_commands if command.callback}


def test_the_job_goes_on_when_its_head_is_lost() -> None:
    spec = manifest("rayjob.yaml")["spec"]
    assert spec["backoffLimit"] >= 1
    assert spec["shutdownAfterJobFinishes"] is True


def training() -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """The training job: its spec, the words of its command, and its one group of workers."""
    spec = manifest("rayjob-train.yaml")["spec"]
    (group,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    return spec, shlex.split(spec["entrypoint"]), group


def test_a_training_job_has_a_gpu_for_every_worker_before_it_begins() -> None:
    spec, words, group = training()
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert group["rayStartParams"]["num-gpus"] == limits["nvidia.com/gpu"]
    # An autoscaler would start pods for what waits, and a run that sees no GPU at its start trains on CPUs.
    assert "enableInTreeAutoscaling" not in spec["rayClusterSpec"]
    assert group["replicas"] == group["minReplicas"] == group["maxReplicas"] >= 1
    assert f"workers={group['replicas'] * int(limits['nvidia.com/gpu'])}" in words
    assert int(limits["cpu"]) >= int(limits["nvidia.com/gpu"]), "a worker takes a CPU as well"
    head = spec["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    assert "nvidia.com/gpu" not in head["resources"]["limits"]
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in group["template"]["spec"][
        "tolerations"
    ]


def test_a_training_job_keeps_its_run_where_every_pod_sees_it() -> None:
    spec, words, group = training()
    for template in (spec["rayClusterSpec"]["headGroupSpec"]["template"], group["template"]):
        mounts = {mount["mountPath"]: mount["name"] for mount in template["spec"]["containers"][0]["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        run, config = words[words.index("--root") + 1], words[words.index("pretrain") + 1]
        assert volumes[mounts[f"/{run.split('/')[1]}"]]["persistentVolumeClaim"]["claimName"] == "corpora"
        assert volumes[mounts[str(Path(config).parent)]]["configMap"] == {"name": "corpusforge-train"}


def test_a_training_pod_has_shared_memory_within_its_memory() -> None:
    _, _, group = training()
    pod = group["template"]["spec"]
    (shm,) = [volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume]
    assert shm["medium"] == "Memory"
    assert size(shm["sizeLimit"]) <= size(pod["containers"][0]["resources"]["limits"]["memory"]) / 4
    assert {"name": "shm", "mountPath": "/dev/shm"} in pod["containers"][0]["volumeMounts"]


def test_the_command_of_a_training_job_is_one_that_the_command_line_takes(tmp_path: Path) -> None:
    """But for the paths of the pod: it is run up to the point where it has read the configuration."""
    spec, words, _ = training()
    assert words[:3] == ["python", "-m", "corpusforge"]
    assert spec["backoffLimit"] >= 1
    assert spec["shutdownAfterJobFinishes"] is True
    there = {"/config/train.yaml": str(tmp_path / "train.yaml"), "/corpora/runs": str(tmp_path / "runs")}
    command = [sys.executable, *(there.get(word, word) for word in words[1:])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, "no training configuration at" in done.stderr) == (1, True), done.stderr
    (tmp_path / "train.yaml").write_text(
        "run: r\ndata: {sources: {a: {megatron: [nowhere], eod: 0, vocabulary: 9}}}\nmodel: {path: nowhere}\n"
    )
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "nowhere" in done.stderr


def test_all_pods_of_a_training_job_run_the_image_with_training() -> None:
    images = {template["spec"]["containers"][0]["image"] for template in templates(manifest("rayjob-train.yaml"))}
    (image,) = images
    assert f"--build-arg EXTRAS=train -t {image} ." in (CLUSTER / "Dockerfile").read_text("utf-8")

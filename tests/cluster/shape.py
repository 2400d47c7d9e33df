"""The fields of KubeRay's resources that our manifests may use, as a JSON Schema of our own.

No package here ships KubeRay's resource definitions, so names and types were read, field by field, from the reference
of `ray.io/v1` (KubeRay 1.6); fields that we do not use are left out, and so is whatever Kubernetes itself defines
(pod templates and the like), which tests check against Kubernetes' own schemas.
"""

from typing import Any

KUBERNETES = {"type": "object"}
STRING = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}
PARAMS = {"type": "object", "additionalProperties": {"type": "string"}}


def record(required: str = "", **fields: Any) -> dict[str, Any]:
    """An object of exactly these fields."""
    return {"type": "object", "properties": fields, "required": required.split(), "additionalProperties": False}


AUTH = record("mode", mode={"enum": ["disabled", "token"]}, secretName=STRING)
AUTOSCALER = record(
    version={"enum": ["v1", "v2"]},
    idleTimeoutSeconds=COUNT,
    upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
    resources=KUBERNETES,
    securityContext=KUBERNETES,
)
HEAD = record("template", rayStartParams=PARAMS, template=KUBERNETES)
WORKERS = record(
    "groupName template",
    groupName=STRING,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    idleTimeoutSeconds=COUNT,
    rayStartParams=PARAMS,
    template=KUBERNETES,
)
CLUSTER = record(
    "headGroupSpec",
    rayVersion=STRING,
    authOptions=AUTH,
    enableInTreeAutoscaling=FLAG,
    autoscalerOptions=AUTOSCALER,
    headGroupSpec=HEAD,
    workerGroupSpecs={"type": "array", "items": WORKERS},
)
JOB = record(
    "entrypoint rayClusterSpec",
    entrypoint=STRING,
    backoffLimit=COUNT,
    shutdownAfterJobFinishes=FLAG,
    ttlSecondsAfterFinished=COUNT,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
    submitterPodTemplate=KUBERNETES,
    rayClusterSpec=CLUSTER,
)
RESOURCE = {"RayCluster": CLUSTER, "RayJob": JOB}


def resource(kind: str) -> dict[str, Any]:
    """The schema of a whole manifest."""
    return record(
        "apiVersion kind metadata spec",
        apiVersion={"const": "ray.io/v1"},
        kind={"const": kind},
        metadata=KUBERNETES,
        spec=RESOURCE[kind],
    )

"""What the command line, jobs and ``import corpusforge`` call: one function a verb."""

from corpusforge.engine.run import PlanChanged
from corpusforge.job import NoCluster, takes_jobs
from corpusforge.recipe import read_recipe
from corpusforge.schemas import write_schemas
from corpusforge.storage import StoreError
from corpusforge.tokens.digests import DamagedError
from corpusforge.train.config import read_config as read_training
from corpusforge.verbs.baseline import train_baseline
from corpusforge.verbs.build import BuildFailed, Run, build
from corpusforge.verbs.check import Plan, describe, plan
from corpusforge.verbs.doctor import Finding, doctor
from corpusforge.verbs.estimate import Estimate, NoSample, estimate, estimate_of
from corpusforge.verbs.explain import Explanation, explain
from corpusforge.verbs.explain_view import show_explanation
from corpusforge.verbs.fit import NotFitted, fit_extractor
from corpusforge.verbs.gc import gc
from corpusforge.verbs.gc import told as collected
from corpusforge.verbs.megatron_source import megatron_source
from corpusforge.verbs.new import NotNew, new_stage
from corpusforge.verbs.next import next_commands, program
from corpusforge.verbs.pools import PoolName
from corpusforge.verbs.read import documents, dropped, report, step_names, verified, verify
from corpusforge.verbs.submit import submit, train_submit
from corpusforge.verbs.token_source import token_source
from corpusforge.verbs.tombstone import tombstone
from corpusforge.verbs.train import (
    NotTrained,
    trace_document,
    trace_step,
    train_export,
    train_presets,
    train_report,
    train_run,
    train_sample,
)
from corpusforge.verbs.trial import Trial, try_page
from corpusforge.verbs.trial_view import show_trial
from corpusforge.versions import VersionError

__all__ = [
    "BuildFailed",
    "DamagedError",
    "Estimate",
    "Explanation",
    "Finding",
    "NoCluster",
    "NoSample",
    "NotFitted",
    "NotNew",
    "NotTrained",
    "Plan",
    "PlanChanged",
    "PoolName",
    "Run",
    "StoreError",
    "Trial",
    "VersionError",
    "build",
    "collected",
    "describe",
    "doctor",
    "documents",
    "dropped",
    "estimate",
    "estimate_of",
    "explain",
    "fit_extractor",
    "gc",
    "megatron_source",
    "new_stage",
    "next_commands",
    "plan",
    "program",
    "read_recipe",
    "read_training",
    "report",
    "show_explanation",
    "show_trial",
    "step_names",
    "submit",
    "takes_jobs",
    "token_source",
    "tombstone",
    "trace_document",
    "trace_step",
    "train_baseline",
    "train_export",
    "train_presets",
    "train_report",
    "train_run",
    "train_sample",
    "train_submit",
    "try_page",
    "verified",
    "verify",
    "write_schemas",
]

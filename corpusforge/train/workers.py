"""The processes that train together: who they are, what they compute on, and what they tell each other."""

import atexit
import os
import socket
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Workers:
    """This process among ``world``, and the device it computes on."""

    rank: int
    world: int
    device: Any

    @property
    def first(self) -> bool:
        """Whether this process writes what is written once."""
        return self.rank == 0

    def gathered(self, tensor: Any) -> Any:
        """The tensors of all workers, of (world, …), on each of them."""
        if self.world == 1:
            return tensor[None]
        found = [torch.empty_like(tensor) for _ in range(self.world)]
        dist.all_gather(found, tensor.contiguous())
        return torch.stack(found)

    def summed(self, tensor: Any) -> Any:
        """The sum over all workers, on each of them."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def wait(self) -> None:
        """Wait until all are here."""
        if self.world > 1:
            dist.barrier()


def join(deepspeed: Any) -> Workers:
    """Join the others: by what torchrun, DeepSpeed's launcher or Ray Train have set, else alone.

    CPUs talk through gloo, GPUs through nccl.
    """
    if "RANK" not in os.environ:
        alone = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": _free_port()}
        os.environ.update({name: str(value) for name, value in alone.items()})
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
        # Its own all-reduce for one machine is compiled when it is first asked for, and fails without a compiler.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    backend = "gloo" if device.type == "cpu" else "nccl"
    if not dist.is_initialized():
        deepspeed.init_distributed(dist_backend=backend, auto_mpi_discovery=False, verbose=False)
        atexit.register(_leave)
    return Workers(dist.get_rank(), dist.get_world_size(), device)


def _leave() -> None:
    """Close the connections while Python is there, so that no thread of theirs outlives it."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""The process group that torchrun describes in the environment: gloo on CPU, NCCL where there is a GPU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from exfm_core.errors import SpecError

_NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True, slots=True)
class Group:
    """This process's place among `world` processes, and the device that holds its shards."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """True in the process that writes what is written once."""
        return self.rank == 0


@contextmanager
def process_group() -> Iterator[Group]:
    """Joins the group and leaves it at the end. Raises SpecError where torchrun did not start this process."""
    missing = [name for name in _NEEDED if not os.environ.get(name)]
    if missing:
        raise SpecError(
            "scale.not_launched",
            f"{', '.join(missing)} not set: sharded training runs as several processes.",
            "Start it with: torchrun --standalone --nproc-per-node 2 -m exfm_core.scale train job.json",
        )
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def agree(group: Group, flag: bool) -> bool:
    """True if `flag` is true in every process. All processes must call it."""
    vote = torch.tensor([1 if flag else 0], device=group.device)
    dist.all_reduce(vote, dist.ReduceOp.MIN)
    return bool(vote.item())


def average_gradients(parameters: list[torch.nn.Parameter], group: Group) -> None:
    """Replaces every gradient by its mean over the processes, with one message for all of them."""
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if group.world == 1 or not grads:
        return
    flat = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(flat)
    flat /= group.world
    for grad, part in zip(grads, torch.split(flat, [grad.numel() for grad in grads]), strict=True):
        grad.copy_(part.view_as(grad))

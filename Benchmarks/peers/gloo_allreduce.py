"""Measures PyTorch's all-reduce over gloo, float32 sum, in place. Ranks meet as torchrun's would, by the environment."""

import mmap
import sys

import torch
import torch.distributed

from measuring import measure, sizes_of_arguments

HUGE_PAGE = 2 << 20


class Gloo:
    def __init__(self):
        torch.set_num_threads(1)
        torch.distributed.init_process_group("gloo")
        self.rank = torch.distributed.get_rank()
        self.ranks = torch.distributed.get_world_size()
        self.barrier = torch.distributed.barrier

    def prepare(self, count):
        # On huge pages, as the other programs' large buffers.
        memory = mmap.mmap(-1, max(count * 4, mmap.PAGESIZE), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if count * 4 >= HUGE_PAGE:
            memory.madvise(mmap.MADV_HUGEPAGE)
        self.buffer = torch.frombuffer(memory, dtype=torch.float32, count=count)
        self.buffer.copy_(torch.arange(count) % 8 + self.rank)
        return lambda: torch.distributed.all_reduce(self.buffer)

    def count_wrong(self, count):
        pattern = torch.arange(count) % 8
        self.buffer.copy_(pattern + self.rank)
        torch.distributed.all_reduce(self.buffer)
        expected = (pattern * self.ranks + self.ranks * (self.ranks - 1) // 2).to(torch.float32)
        return int((self.buffer != expected).sum())

    def gather(self, values):
        own = torch.tensor(values, dtype=torch.float64)
        all_ranks = [torch.empty_like(own) for _ in range(self.ranks)]
        torch.distributed.all_gather(all_ranks, own)
        return [rank.tolist() for rank in all_ranks]


measure(Gloo(), sizes_of_arguments(sys.argv[1:]))

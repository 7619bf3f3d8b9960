"""Measures MLX's all-reduce over its ring of TCP sockets, float32 sum.

MLX has no operation in place: the result takes the input's name, so that the library may reuse its memory. The ranks
meet by MLX_RANK and MLX_HOSTFILE.
"""

import sys

import mlx.core as mx

from measuring import measure, sizes_of_arguments


class MLX:
    def __init__(self):
        mx.set_default_device(mx.cpu)
        self.group = mx.distributed.init(strict=True, backend="ring")
        self.rank, self.ranks = self.group.rank(), self.group.size()

    def all_reduce(self):
        self.buffer = mx.distributed.all_sum(self.buffer, group=self.group)
        mx.eval(self.buffer)

    def prepare(self, count):
        # Zeros stay zeros: sums of sums would soon be infinite.
        self.buffer = mx.zeros(count, dtype=mx.float32)
        mx.eval(self.buffer)
        return self.all_reduce

    def barrier(self):
        mx.eval(mx.distributed.all_sum(mx.array(1.0), group=self.group))

    def count_wrong(self, count):
        pattern = mx.arange(count) % 8
        self.buffer = (pattern + self.rank).astype(mx.float32)
        mx.eval(self.buffer)
        self.all_reduce()
        expected = (pattern * self.ranks + self.ranks * (self.ranks - 1) // 2).astype(mx.float32)
        return int((self.buffer != expected).sum().item())

    def gather(self, values):
        own = mx.array([values], dtype=mx.float32)
        return mx.distributed.all_gather(own, group=self.group).tolist()


measure(MLX(), sizes_of_arguments(sys.argv[1:]))

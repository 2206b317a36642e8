"""PyTorch on a GPU: cuDNN's recurrent layers, timed by CUDA events."""

from __future__ import annotations

import os

import numpy as np


def layer(torch, problem) -> dict:
    from cuda_kernels import BATCHES  # beside this file
    from pytorch import ORDER, recurrent

    tf32 = os.environ["RNN_REF_BENCH_TF32"] == "1"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
    x, target, weights = problem.draw()
    model = recurrent(torch, problem.cell, [weights]).cuda()
    model.flatten_parameters()
    rng = np.random.default_rng(1)
    inputs = [x, *(rng.normal(size=x.shape).astype("float32") for _ in range(BATCHES - 1))]
    inputs, target = [torch.from_numpy(x).cuda() for x in inputs], torch.from_numpy(target).cuda()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], problem.rate)

    def infer(k: int):
        with torch.inference_mode():
            return model(inputs[k])[0][:, -1]

    def train(k: int):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(inputs[k])[0][:, -1], target).backward()
        optimizer.step()

    def learned():
        parts = np.split(model.weight_hh_l0.detach().cpu().numpy().T, problem.gates, axis=-1)
        return np.concatenate([parts[ORDER[problem.cell].index(g)] for g in range(problem.gates)], axis=-1)

    def seconds(run, warm_up: int = 3, count: int = 25) -> float:
        for k in range(warm_up):
            run(k % BATCHES)
        times = []
        for k in range(count):
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            run(k % BATCHES)
            end.record()
            end.synchronize()
            times.append(1e-3 * start.elapsed_time(end))
        return float(np.median(times))

    return {
        "infer": lambda: infer(0).cpu().numpy(),
        "train": lambda: train(0),
        "learned": learned,
        "infer seconds": lambda: seconds(infer),
        "train seconds": lambda: seconds(train),
    }

"""PyTorch: ``nn.RNN``, ``nn.GRU``, ``nn.LSTM``."""

from __future__ import annotations

import numpy as np

ORDER = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "SimpleRNN": (0,)}  # of the gates: i f g o; r z n


def layer(torch, problem) -> dict:
    x, target, weights = problem.draw()
    model = recurrent(torch, problem.cell, [weights])
    x, target = torch.from_numpy(x), torch.from_numpy(target)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], problem.rate)

    def infer():
        with torch.inference_mode():
            return model(x)[0][:, -1].numpy()

    def train():
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x)[0][:, -1], target).backward()
        optimizer.step()

    def learned():
        parts = np.split(model.weight_hh_l0.detach().numpy().T, problem.gates, axis=-1)
        return np.concatenate([parts[ORDER[problem.cell].index(g)] for g in range(problem.gates)], axis=-1)

    return {"infer": infer, "train": train, "learned": learned}


def recurrent(torch, cell: str, directions: list):
    """A layer with weights in Keras's layout, three arrays for each direction."""
    (F, _), (H, columns) = directions[0][0].shape, directions[0][1].shape
    kind = getattr(torch.nn, cell.replace("Simple", ""))
    model = kind(F, H, batch_first=True, bidirectional=len(directions) == 2)

    def rows(kernel):  # (K, G*H) -> (G*H, K)
        gates = np.split(kernel, columns // H, axis=-1)
        return torch.from_numpy(np.concatenate([gates[g] for g in ORDER[cell]], axis=-1).T.copy())

    for (W, U, b), end in zip(directions, ("l0", "l0_reverse")):
        b_ih, b_hh = b if cell == "GRU" else (b, np.zeros_like(b))
        with torch.no_grad():
            for name, value in {"weight_ih": W, "weight_hh": U, "bias_ih": b_ih, "bias_hh": b_hh}.items():
                getattr(model, f"{name}_{end}").copy_(rows(value))
        if cell != "GRU":
            getattr(model, f"bias_hh_{end}").requires_grad_(False)  # the others have one bias
    return model


def guide(torch, task) -> dict:
    """As :func:`keras_like.guide`, with the loop over epochs and batches that PyTorch leaves to its users."""
    x, y = (torch.from_numpy(array) for array in task.data())
    forward, parameters = guide_model(torch, task)
    optimizer = torch.optim.Adam([p for p in parameters if p.requires_grad], eps=1e-7)  # Keras's

    def step(batch) -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(forward(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        return loss.item() * len(batch)

    def epoch(order) -> float:
        return sum(step(batch) for batch in order.split(task.batch)) / len(x)

    return {
        "step": lambda: step(torch.arange(task.batch)) / task.batch,
        "first": lambda: epoch(torch.arange(len(x))),
        "epochs": lambda: [epoch(torch.randperm(len(x))) for _ in range(task.epochs)][-1],
    }


def guide_model(torch, task):
    size, shapes = 5, []
    for cell, units, given in task.layers:
        G = len(ORDER[cell])
        bias = (2, G * units) if cell == "GRU" else (G * units,)
        directions = 2 if given == "both" else 1
        shapes += [(size, G * units), (units, G * units), bias] * directions
        size = directions * units
    *weights, kernel, bias = task.weights([*shapes, (size, 1), (1,)])
    dense = torch.nn.Linear(size, 1)
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(kernel.T.copy()))
        dense.bias.copy_(torch.from_numpy(bias))
    layers = []
    for cell, _, given in task.layers:
        directions = [[weights.pop(0) for _ in range(3)] for _ in range(2 if given == "both" else 1)]
        layers.append(recurrent(torch, cell, directions))

    def forward(h):
        for layer, (cell, _, given) in zip(layers, task.layers):
            every, last = layer(h)
            last = last[0] if cell == "LSTM" else last  # (directions, B, H)
            h = every if given == "every" else torch.cat(list(last), dim=-1)
        return dense(h)

    return forward, [p for module in (*layers, dense) for p in module.parameters()]

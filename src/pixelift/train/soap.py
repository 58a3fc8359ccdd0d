"""SOAP: Adam in the directions in which the gradients of a kernel really vary."""

from collections.abc import Callable, Iterable
from typing import Any

import torch

BETAS = (0.95, 0.95)
"""How much of the running means of the gradient and of its square a step keeps, as in the
paper's experiments."""

TURN_EVERY = 20
"""Steps from one adjustment of the directions to the next. The paper takes 10, and with that a
network of 48 channels spent a sixth of its time here."""

TINY = 1e-8
"""Keeps the division by the root of the mean square finite."""


class Soap(torch.optim.Optimizer):
    """Adam, in a basis in which the gradient's entries hardly depend on each other.

    The gradient of a convolution is a matrix, outputs by inputs times taps. The means of its
    products with itself from the left and from the right are kept, and Adam runs in the basis of
    their eigenvectors, which one step of the power method now and then keeps up to date. On the
    small networks of this package it needs a third of Adam's steps, at 1.2 times the time
    (experiments/LOG.md). Biases and other vectors are left to Adam as it is.

    Paper: N. Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", ICLR 2025,
        algorithms 3 and 4.
    """

    def __init__(self, weights: Iterable[torch.Tensor], *, lr: float) -> None:
        """Take charge of weights.

        Args:
            weights: Tensors of a network; the first dimension of a kernel is that of its outputs.
            lr: Step size; may be changed in `param_groups` between steps.
        """
        super().__init__(weights, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move the weights once; the first step only looks at the gradient.

        Args:
            closure: Computes the loss and its gradients again; not needed.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    _move(weight, self.state[weight], rate=group["lr"])
        return loss


def _move(weight: torch.Tensor, state: dict[str, Any], *, rate: float) -> None:
    # Contiguous whatever the memory format of the kernel is, so that a row is an output.
    gradient = weight.grad.reshape(len(weight), -1) if weight.ndim > 1 else weight.grad[None]  # type: ignore[index, union-attr]
    if not state:
        _begin(state, gradient, turns=weight.ndim > 1)
        return
    state["step"] += 1
    keep_mean, keep_square = BETAS
    state["mean"].lerp_(gradient, 1 - keep_mean)
    turned = _turn(gradient, state)
    state["square"].lerp_(turned.square(), 1 - keep_square)
    mean = _turn(state["mean"], state) / (1 - keep_mean ** state["step"])
    square = state["square"] / (1 - keep_square ** state["step"])
    change = mean / (square.sqrt() + TINY)
    if "left" in state:
        change = state["left"] @ change @ state["right"].T
    weight.sub_(rate * change.view_as(weight))
    if "left" in state:
        _follow(gradient, state)


def _begin(state: dict[str, Any], gradient: torch.Tensor, *, turns: bool) -> None:
    state["step"] = 0
    state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
    if turns:
        state["rows"], state["columns"] = gradient @ gradient.T, gradient.T @ gradient
        state["left"] = _eigenvectors(state["rows"])
        state["right"] = _eigenvectors(state["columns"])


def _eigenvectors(products: torch.Tensor) -> torch.Tensor:
    # In double precision, since a single gradient leaves most directions empty.
    return torch.linalg.eigh(products.double())[1].to(products.dtype)


def _turn(matrix: torch.Tensor, state: dict[str, Any]) -> torch.Tensor:
    if "left" not in state:
        return matrix
    turned: torch.Tensor = state["left"].T @ matrix @ state["right"]
    return turned


def _follow(gradient: torch.Tensor, state: dict[str, Any]) -> None:
    """Let the directions follow the gradients."""
    share = 1 - BETAS[1]
    state["rows"].lerp_(gradient @ gradient.T, share)
    state["columns"].lerp_(gradient.T @ gradient, share)
    if state["step"] % TURN_EVERY:
        return
    for products, basis, dimension in (("rows", "left", 0), ("columns", "right", 1)):
        # Sorted by their weight, the largest first, as the power method keeps them.
        weights = (state[basis] * (state[products] @ state[basis])).sum(0)
        order = weights.argsort(descending=True)
        state["square"] = state["square"].index_select(dimension, order)
        state[basis] = torch.linalg.qr(state[products] @ state[basis][:, order])[0]

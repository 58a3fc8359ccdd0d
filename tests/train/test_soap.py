import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from pixelift.train.soap import Soap


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(seed, size):
    return torch.linalg.qr(drawn(seed, size, size))[0]


def losses(optimizer, *, turned=False, steps=60, rate=0.03):
    """Fit a 6x9 matrix whose entries matter very differently; maybe seen from another side."""
    left, right = (rotation(1, 6), rotation(2, 9)) if turned else (torch.eye(6), torch.eye(9))
    left, right = left.double(), right.double()
    goal = drawn(3, 6, 9)
    heed = torch.logspace(0, -3, 9, dtype=torch.float64)
    weight = nn.Parameter(torch.zeros(6, 9, dtype=torch.float64))
    optimizer = optimizer([weight], lr=rate)
    found = []
    for _ in range(steps):
        seen = left @ weight @ right
        loss = ((seen - goal).square() * heed).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


class PlainSoap:
    """SOAP by algorithms 3 and 4 of the paper, for one matrix, in numpy and without any state but
    the paper's: the means of both sides are kept, and turned anew at each step.

    Beside the paper's lines it has what the authors' program has: the first gradient only begins
    the directions, the means are corrected as Adam's are, and the directions are sorted by what
    they weigh before they are made orthogonal.
    """

    def __init__(self, *, lr, every=20, betas=(0.95, 0.95)):
        self.lr, self.every, self.betas, self.count = lr, every, betas, None

    def step(self, w, g):
        b1, b2 = self.betas
        if self.count is None:
            self.l, self.r = g @ g.T, g.T @ g
            self.ql, self.qr = np.linalg.eigh(self.l)[1], np.linalg.eigh(self.r)[1]
            self.m, self.v, self.count = 0 * g, 0 * g, 0
            return w
        self.count += 1
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * (self.ql.T @ g @ self.qr) ** 2
        m_hat, v_hat = self.m / (1 - b1**self.count), self.v / (1 - b2**self.count)
        n = (self.ql.T @ m_hat @ self.qr) / (np.sqrt(v_hat) + 1e-8)
        w = w - self.lr * (self.ql @ n @ self.qr.T)
        self.l = b2 * self.l + (1 - b2) * g @ g.T
        self.r = b2 * self.r + (1 - b2) * g.T @ g
        if self.count % self.every == 0:
            self.ql, order = follow(self.l, self.ql)
            self.v = self.v[order]
            self.qr, order = follow(self.r, self.qr)
            self.v = self.v[:, order]
        return w


def follow(p, q):
    """A step of the power method, made orthogonal column by column (Gram and Schmidt)."""
    order = sorted(range(len(q)), key=lambda k: -(q[:, k] @ p @ q[:, k]))
    columns = []
    for k in order:
        column = p @ q[:, k]
        for _ in range(2):  # once more for what rounding left
            for other in columns:
                column = column - (column @ other) * other
        columns.append(column / math.sqrt(column @ column))
    return np.stack(columns, axis=1), order


@pytest.mark.parametrize("shape", [(6, 6), (4, 1, 2, 2)])
def test_it_is_the_algorithm_of_the_paper_written_down_plainly(shape):
    # Square once it is a matrix: else the first gradient leaves directions open.
    weight = nn.Parameter(drawn(1, *shape))
    plain = weight.detach().numpy().reshape(len(weight), -1).copy()
    ours, theirs = Soap([weight], lr=0.03), PlainSoap(lr=0.03)
    for n in range(70):  # the directions are adjusted three times
        weight.grad = drawn(100 + n, *shape) + 0.5 * weight.detach()
        gradient = drawn(100 + n, *shape).numpy().reshape(plain.shape) + 0.5 * plain
        ours.step()
        plain = theirs.step(plain, gradient)
        found = weight.detach().numpy().reshape(plain.shape)
        assert found == pytest.approx(plain, rel=1e-6, abs=1e-8), n


def test_a_bias_is_left_to_adam_written_down_plainly():
    weight = nn.Parameter(drawn(1, 5))
    plain, means, squares = weight.detach().tolist(), [0.0] * 5, [0.0] * 5
    ours = Soap([weight], lr=0.03)
    for n in range(30):
        weight.grad = drawn(100 + n, 5)
        ours.step()
        for k, g in enumerate(weight.grad.tolist() if n else []):
            means[k] = 0.95 * means[k] + 0.05 * g
            squares[k] = 0.95 * squares[k] + 0.05 * g * g
            share = 1 - 0.95**n
            plain[k] -= 0.03 * means[k] / share / (math.sqrt(squares[k] / share) + 1e-8)
    assert weight.tolist() == pytest.approx(plain, rel=1e-9)


def test_the_first_step_only_looks_at_the_gradient():
    first = losses(Soap, steps=2)
    assert first[1] == first[0]


def test_where_directions_mix_it_gets_further_than_adam():
    soap, adam = (losses(kind, turned=True, steps=200) for kind in (Soap, torch.optim.Adam))
    assert soap[-1] < 0.1 * adam[-1]


def test_it_does_not_matter_from_which_side_a_kernel_is_seen():
    straight, turned = losses(Soap), losses(Soap, turned=True)
    assert turned[-1] == pytest.approx(straight[-1], rel=0.1)


def network(seed):
    torch.manual_seed(seed)
    made = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 2, 3))
    return made.to(memory_format=torch.channels_last)


def train(made, optimizer, steps):
    for n in steps:
        x = drawn(n, 2, 3, 9, 9).float()
        optimizer.zero_grad()
        (made(x) - x[:, :2, 2:-2, 2:-2]).square().mean().backward()
        optimizer.step()


def test_a_restored_state_goes_on_exactly():
    made = network(0)
    optimizer = Soap(made.parameters(), lr=0.01)
    train(made, optimizer, range(15))
    again = copy.deepcopy(made)
    restored = Soap(again.parameters(), lr=0.01)
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(made, optimizer, range(15, 40))
    train(again, restored, range(15, 40))
    for ours, theirs in zip(made.parameters(), again.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_order_in_memory_does_not_matter():
    rows, channels = network(0).to(memory_format=torch.contiguous_format), network(0)
    optimizers = [Soap(made.parameters(), lr=0.01) for made in (rows, channels)]
    for n in range(25):
        pairs = zip(rows.parameters(), channels.parameters(), strict=True)
        for m, (one, other) in enumerate(pairs):
            one.grad = drawn(100 * n + m, *one.shape).float()
            other.grad = torch.empty_like(other).copy_(one.grad)
        for optimizer in optimizers:
            optimizer.step()
    for one, other in zip(rows.parameters(), channels.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_the_rate_is_the_size_of_a_step_and_can_be_changed_on_the_way():
    weight = nn.Parameter(torch.zeros(4, 4))
    optimizer = Soap([weight], lr=0.5)
    for _ in range(2):
        weight.grad = torch.eye(4)
        optimizer.step()
    assert torch.allclose(weight, -0.5 * torch.eye(4), atol=1e-3)
    optimizer.param_groups[0]["lr"] = 0.0
    before = weight.detach().clone()
    optimizer.step()
    assert torch.equal(weight, before)


def test_a_weight_without_a_gradient_stays():
    weight = nn.Parameter(torch.ones(2, 2))
    Soap([weight], lr=0.5).step()
    assert torch.equal(weight, torch.ones(2, 2))

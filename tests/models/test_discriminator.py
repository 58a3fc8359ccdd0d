import torch

from pixelift.models.discriminator import Discriminator


def test_it_judges_every_pixel_and_shows_what_it_saw():
    critic = Discriminator(width=4)
    logits, seen = critic(torch.rand(2, 3, 24, 40))
    assert logits.shape == (2, 1, 24, 40)
    assert [tuple(s.shape[1:]) for s in seen] == [
        (8, 12, 20),
        (16, 6, 10),
        (32, 3, 5),
        (16, 6, 10),
        (8, 12, 20),
        (4, 24, 40),
    ]


def test_the_inner_convolutions_are_held_to_a_spectral_norm_of_one():
    torch.manual_seed(0)
    critic = Discriminator(channels=1, width=4)
    for _ in range(50):
        critic(torch.rand(1, 1, 16, 16))
    for layer in (*critic.down, *critic.up, critic.body):
        norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert 0.9 < float(norm) < 1.1


def test_it_learns_to_tell_noise_from_a_plain_colour():
    torch.manual_seed(0)
    critic = Discriminator(width=4)
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3)
    for _ in range(40):
        real, fake = torch.full((2, 3, 16, 16), 0.5), torch.rand(2, 3, 16, 16)
        loss = torch.nn.functional.softplus(-critic(real)[0]).mean()
        loss = loss + torch.nn.functional.softplus(critic(fake)[0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        assert float(critic(torch.full((1, 3, 16, 16), 0.5))[0].mean()) > 0
        assert float(critic(torch.rand(1, 3, 16, 16))[0].mean()) < 0

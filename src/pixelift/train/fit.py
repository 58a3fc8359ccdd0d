"""The training loop: from a recipe and a prepared set to a run folder."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from pixelift.data.pairs import PairDataset, batches
from pixelift.degrade.draw import PRESETS, resolve
from pixelift.errors import TrainingStopped
from pixelift.patches.dataset import PreparedSet
from pixelift.train.begin import Training, begin
from pixelift.train.checkpoint import BEST, save_weights
from pixelift.train.config import Recipe
from pixelift.train.device import choose_workers, find_device
from pixelift.train.feed import training_pairs, validation_pairs
from pixelift.train.keep import check_weights, drain_losses, save_state
from pixelift.train.logbook import Logbook
from pixelift.train.ranks import Ranks, joined
from pixelift.train.samples import SAMPLE, draw_sample, write_png
from pixelift.train.step import train_step
from pixelift.train.validate import (
    PLANS,
    Pairs,
    measure,
    validation_crops,
    validation_plans,
    write_plans,
)
from pixelift.train.watch import State, Watcher

LOG_EVERY = 100
"""Steps whose mean loss makes one line of the log."""

SAVE_EVERY_S = 300.0
"""Seconds after which a checkpoint is written even between two validations."""

SHOW_EVERY_S = 10.0
"""Seconds between two sample pictures; drawing one takes as long as many small steps."""

SHOWN_IN_ALL = 12
"""Sample pictures that TensorBoard keeps of a run."""


def fit(
    recipe: Recipe,
    prepared: PreparedSet,
    run: Path,
    *,
    resume: bool = False,
    watch: Watcher | None = None,
    also: Mapping[str, Pairs] | None = None,
    device: str = "auto",
) -> float:
    """Train a network; whatever ends it, a checkpoint is left from which it resumes exactly.

    Where `torchrun` started several processes, all of them call this with the same arguments and
    share each batch; the first alone validates and writes.

    Args:
        recipe: All settings.
        prepared: The training set.
        run: Run folder; new, or with `resume` the one to go on with.
        resume: Go on from the checkpoint in `run`.
        watch: Told how it goes, and asked whether to stop.
        also: Further pairs by name, measured and logged at each validation as psnr_y_NAME with a
            border of the scale, as papers do; they never decide which weights are kept.
        device: "cpu", "cuda", or "auto" for a GPU where there is one.

    Returns:
        Best PSNR-Y on the validation crops, in dB.

    Raises:
        WrongRunError: The run folder is in use, of another recipe, or cannot be written.
        WrongDatasetError: The set does not fit the recipe.
        TrainingError: The loss is not finite, or the checkpoint is damaged or cannot be written.
        TrainingStopped: The watcher wanted it; the checkpoint is that of the last step.
        ConfigError: The batch cannot be shared among the processes.
    """
    torch.manual_seed(recipe.run.seed)
    scale, side = recipe.model.scale, recipe.run.valid_crop
    degradation = resolve(recipe.data.degrade)
    pairs = validation_pairs(recipe, prepared)
    further = dict(also or {})
    if degradation != PRESETS["clean"]:
        # What the network pays for it on pictures that nothing happened to.
        luma = recipe.model.channels == 1
        further["clean"] = validation_crops(prepared, scale=scale, side=side, luma=luma)
    where = find_device(device)
    with joined(where) as ranks:
        ranks.check(recipe.data.batch)
        dataset = training_pairs(recipe, prepared, part=(ranks.rank, ranks.count))
        watch = watch or Watcher()
        training = begin(
            recipe, prepared, run, device=where, ranks=ranks, watch=watch, resume=resume
        )
        if ranks.leads and degradation != PRESETS["clean"]:
            plans = validation_plans(prepared, scale=scale, degradation=degradation)
            write_plans(run / PLANS, plans)
        loop = _Loop(recipe, run, training, ranks, watch, pairs, further)
        loop.go(dataset)
        return ranks.share(training.best, where)


@dataclass
class _Loop:
    """The steps of a training and what happens between them."""

    recipe: Recipe
    run: Path
    training: Training
    ranks: Ranks
    watch: Watcher
    pairs: Pairs
    also: Mapping[str, Pairs]
    book: Logbook | None = None
    first: int = 0
    started: float = 0.0
    resumed: float = 0.0
    """When the steps since the last line of the log began."""
    drawn: float = -SHOW_EVERY_S

    def go(self, dataset: PairDataset) -> None:
        """Take all steps that are left."""
        data, optim, training = self.recipe.data, self.recipe.optim, self.training
        device, every = training.device, self.recipe.run.validate_every
        self.first = training.step
        if self.ranks.leads:
            self.book = Logbook(self.run, from_step=self.first, tell=self.watch.tell)
        feed = batches(
            dataset,
            first=self.first,
            last=optim.steps,
            workers=choose_workers(data.workers, device, processes=self.ranks.count),
            pin=device.type == "cuda",
        )
        self.started = self.resumed = saved = time.perf_counter()
        try:
            for _, batch in feed:
                due = self.ranks.leads and time.perf_counter() - saved > SAVE_EVERY_S
                wishes = (self.watch.wants_stop(), due)
                stops, saves = train_step(
                    self.recipe, training, batch, ranks=self.ranks, wishes=wishes
                )
                if self.ranks.leads:
                    self.watch.stepped(training.step)
                ends = training.step == optim.steps
                validates = ends or training.step % every == 0
                if validates or training.step % LOG_EVERY == 0:
                    self._write_line(validates=validates)
                if validates or stops or saves:
                    self._save()
                    saved = time.perf_counter()
                if stops and not ends:
                    raise TrainingStopped(f"stopped after step {training.step} of {optim.steps}")
        finally:
            if self.book:
                self.book.close()

    def _write_line(self, *, validates: bool) -> None:
        """Write a line of the log; before the checkpoint, so that none is missing after a kill."""
        training, steps = self.training, self.recipe.optim.steps
        count = len(training.losses)
        loss = drain_losses(self.recipe, training, self.run)
        now = time.perf_counter()
        training.seconds += now - self.resumed
        rate = count / (now - self.resumed)
        line = {"steps_per_second": rate, "seconds": training.seconds, "loss": loss}
        if self.book:
            if validates:
                line |= self._validate()
            self.book.add(training.step, **line)
            if validates:
                self._draw(self.book)
        # Only now, so that the rate is that of the training alone.
        self.resumed = time.perf_counter()
        if self.ranks.leads:
            step_s = (self.resumed - self.started) / (training.step - self.first)
            left, psnr_y = step_s * (steps - training.step), line.get("psnr_y")
            state = State(training.step, steps, rate, left, loss, psnr_y, training.best)
            self.watch.report(state)

    def _validate(self) -> dict[str, float]:
        training, scale = self.training, self.recipe.model.scale
        shave = scale * int(training.mean.radius)  # type: ignore[arg-type]
        value = measure(training.mean, self.pairs, shave=shave)
        if value > training.best:
            training.best = value
            save_weights(training.mean, self.run / BEST)
        further = {
            f"psnr_y_{name}": measure(training.mean, found, shave=scale)
            for name, found in self.also.items()
        }
        return {"psnr_y": value, **further}

    def _draw(self, book: Logbook) -> None:
        book.draw()
        training, steps = self.training, self.recipe.optim.steps
        ends = training.step == steps
        if time.monotonic() - self.drawn < SHOW_EVERY_S and not ends:
            return
        pixels = draw_sample(training.mean, self.pairs, scale=self.recipe.model.scale)
        write_png(pixels, self.run / SAMPLE)
        self.drawn = time.monotonic()
        every = self.recipe.run.validate_every
        before = (training.step - every) * SHOWN_IN_ALL // steps
        if ends or training.step * SHOWN_IN_ALL // steps > before:
            book.add_picture(training.step, pixels)

    def _save(self) -> None:
        check_weights(self.recipe, self.training, self.run)
        if self.ranks.leads:
            save_state(self.recipe, self.training, self.run)

import shutil
import signal
import sys
from pathlib import Path

import pytest
import torch

from pixelift.train import fit as fit_module
from pixelift.train.checkpoint import load_checkpoint
from pixelift.train.logbook import read_log
from pixelift.train.step import train_step

FILES = {
    "best.safetensors",
    "checkpoint.pt",
    "curves.png",
    "dataset.json",
    "log.jsonl",
    "recipe.json",
    "sample.png",
    "tensorboard",
}


@pytest.fixture
def train(told, recipe, dataset):
    """Hand out a function that runs `pixelift train` on the small set into the folder run."""

    def run(*options):
        return told("train", recipe, "--data", dataset, "-o", "run", *options)

    return run


def test_a_recipe_and_a_set_become_a_run(train):
    code, out, err = train("--threads", "1")

    assert (code, err) == (0, "")
    step, last = out.splitlines()
    assert step.startswith("step 2: PSNR-Y ")
    assert last.startswith("run: best PSNR-Y ")
    assert {path.name for path in Path("run").iterdir()} == FILES


def test_settings_are_changed_on_the_command_line(train):
    code, out, _ = train("--set", "optim.steps=4", "--set", "run.validate_every=1")

    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()[:-1]] == [
        f"step {n}" for n in (1, 2, 3, 4)
    ]


def sent(number, *, after):
    """Make a training step that sends this process a signal, as Ctrl-C does, at one step."""

    def step(recipe, training, batch, **options):
        agreed = train_step(recipe, training, batch, **options)
        if training.step == after:
            signal.raise_signal(number)
        return agreed

    return step


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_by_a_signal_it_saves_says_how_to_go_on_and_goes_on(
    train, recipe, dataset, monkeypatch, number, exit_code
):
    changes = ("--set", "optim.steps=6", "--set", "run.start_from=")
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(fit_module, "train_step", sent(number, after=3))
        code, out, err = train(*changes)

    # The signal comes during step 3; whether to stop is asked before each step.
    assert (code, signal.getsignal(number)) == (exit_code, before)
    assert out.startswith("step 2: ")
    assert err == (
        "pixelift: stopped after step 4 of 6, and the last checkpoint is intact. Go on with: "
        f"pixelift train {recipe} --data {dataset} -o run "
        "--set optim.steps=6 --set run.start_from= --resume\n"
    )
    assert load_checkpoint(Path("run")).step == 4

    code, out, err = train(*changes, "--resume")
    assert (code, err) == (0, "")
    assert out.startswith("step 6: ")
    assert [line["step"] for line in read_log(Path("run"))] == [2, 4, 6]


def test_a_second_ctrl_c_ends_it_at_once(train, monkeypatch):
    def impatient(*_, **__):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(fit_module, "train_step", impatient)
        code, out, err = train("--threads", "1")
        patch.setenv("LOCAL_WORLD_SIZE", "2")
        together = train("--threads", "1")[2]

    assert "with: torchrun --standalone --nproc-per-node=2 -m pixelift train " in together
    assert (code, out) == (130, "")
    assert err.startswith(
        "pixelift: stopped, before its first checkpoint. Start again with: pixelift train "
    )
    assert err.endswith(" -o run --threads 1\n")

    assert train()[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--set", "optim.learning_rat=1"],
            'optim.learning_rat is no setting. Did you mean "learning_rate"?',
        ),
        (["--set", "optim.steps=0"], "optim.steps: Expected `int` >= 1"),
        (["--set", "optim.steps"], "write it as --set optim.steps=500"),
        (["--set", "model.architecture=repnat"], 'Did you mean "repnet"'),
        (["--set", "model.dials.hight=3"], 'repnet has no dial "hight"; it has width, depth'),
        (["--set", "model.dials.width=1.5"], "model.dials.width is 1.5; a dial is a whole number"),
        (["--set", "model.dials.width=wide"], "model.dials.width is 'wide'; a dial is a whole"),
        (["--set", "model.dials.width=9999999"], "a whole number from 1 to 1024, a switch true"),
        (["--set", "model.dials.width=true"], "model.dials.width is True; it must be a whole"),
        (["--set", "model.dials.channels=2"], "of 2 channels; pictures have 3, or 1 as luma. Set"),
        (["--set", "model.dials.scale=3"], "the scale is no dial. Set model.scale = 3"),
        (["--set", "model.scale=9"], "model.scale: Expected `int` <= 8"),
        (["--set", "data.lr_patch=500"], "Lower data.lr_patch or add larger photos"),
        (["--set", "run.start_from=nowhere"], 'no run folder, and there is no model "nowhere"'),
        (["--set", "run.start_from=third_party.pth"], "other programs keep them are never loaded"),
        (["--resume"], "no checkpoint in run. Start it without --resume"),
        (["--threads", "0"], "threads is 0; allowed are numbers from 1 up"),
        (["--device", "tpu"], 'no device "tpu"; allowed are auto, cpu, cuda'),
        (["--threads", "two"], '"two" is no whole number'),
        (["--data", "nowhere"], "no training set at nowhere: there is no such folder"),
        (["--data", "."], "holds no finished training set (no manifest.json)"),
        (["--steps", "5"], "--steps"),
    ],
)
def test_wrong_usage_is_told_in_one_line_before_anything_is_done(
    told, recipe, dataset, options, message
):
    data = [] if "--data" in options else ["--data", dataset]

    code, out, err = told("train", recipe, *data, "-o", "run", *options)

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read recipe mine.toml: No such file or directory. Name a TOML file"),
        ("[optim", "recipe mine.toml is not valid TOML"),
        (
            "[optim]\nlearning_rat = 1",
            'optim.learning_rat is no setting. Did you mean "learning_rate"?',
        ),
        ("[data]\nbatch = 'many'", "data.batch: Expected `int`, got `str`"),
    ],
)
def test_a_recipe_that_is_missing_or_wrong_is_told_in_one_line(told, dataset, text, message):
    if text is not None:
        Path("mine.toml").write_text(text)

    code, out, err = told("train", "mine.toml", "--data", dataset, "-o", "run")

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("missing", [[], ["recipe.toml", "-o", "run"], ["a", "--data", "b"]])
def test_recipe_set_and_run_folder_are_needed(told, missing):
    code, out, err = told("train", *missing)

    assert (code, out) == (2, "")
    assert "Run: pixelift train --help" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["pictures/00000.npy", "patches.parquet", "manifest.json"])
def test_a_truncated_set_is_told_in_one_line(told, recipe, dataset, name):
    shutil.copytree(dataset, "set")
    path = Path("set") / name
    path.write_bytes(path.read_bytes()[:-10])

    code, out, err = told("train", recipe, "--data", "set", "-o", "run")

    assert (code, out) == (1, "")
    assert f"set/{name}" in err
    assert "again" in err
    assert err.count("\n") == 1
    assert not Path("run").exists()


def test_a_run_folder_in_use_is_left_as_it_is(told, recipe, dataset, trained):
    shutil.copytree(trained, "run")
    before = Path("run/checkpoint.pt").read_bytes()

    command = ("train", recipe, "--data", dataset, "-o", "run")
    code, out, err = told(*command)
    assert (code, out) == (2, "")
    assert "run holds a training already. Go on with it by --resume" in err

    code, out, err = told(*command, "--resume", "--set", "optim.steps=9")
    assert (code, out) == (2, "")
    assert "run was trained with another recipe" in err
    assert err.count("\n") == 1
    assert Path("run/checkpoint.pt").read_bytes() == before


def test_a_run_folder_that_is_a_file_is_told(train):
    Path("run").write_text("precious")

    code, out, err = train()

    assert (code, out) == (2, "")
    assert err == "pixelift: cannot write to run: File exists. Choose another -o.\n"


def test_a_pickle_of_others_in_place_of_ours_is_refused_unread(train, trained):
    class Bomb:
        def __reduce__(self):
            return (Path("exploded").mkdir, ())

    shutil.copytree(trained, "run")
    for name in ("checkpoint.pt", "best.safetensors"):
        torch.save({"params": Bomb()}, Path("run") / name)
    shutil.copytree("run", "first")

    assert train("--resume")[::2] == (
        1,
        "pixelift: checkpoint run/checkpoint.pt is damaged (UnpicklingError). Its best weights are "
        "in best.safetensors; start a new run from them with --set run.start_from=run\n",
    )
    shutil.rmtree("run")
    code, _, err = train("--set", "run.start_from=first")
    assert code == 1
    assert "cannot read the weights first/best.safetensors" in err
    assert not Path("exploded").exists()
    assert not Path("run").exists()


def test_a_damaged_checkpoint_is_a_failure_and_says_how_to_save_what_there_is(train, trained):
    shutil.copytree(trained, "run")
    Path("run/checkpoint.pt").write_bytes(b"damaged")

    code, out, err = train("--resume")

    assert (code, out) == (1, "")
    assert "--set run.start_from=run" in err
    assert err.count("\n") == 1


def test_a_training_that_diverges_is_a_failure(train):
    code, out, err = train("--set", "optim.learning_rate=1e6", "--set", "optim.steps=40")

    assert (code, out.count("PSNR")) in {(1, n) for n in range(20)}
    assert "no longer finite at step" in err or "the loss became" in err
    assert (
        "start again with a lower rate, --set optim.learning_rate=300000, or a longer rise" in err
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize("package", ["torch", "safetensors", "pyarrow"])
def test_without_a_package_it_is_told_at_once_what_to_install(told, package, monkeypatch, recipe):
    monkeypatch.setitem(sys.modules, package, None)

    code, out, err = told("train", recipe, "--data", "nowhere", "-o", "run")

    assert (code, out) == (2, "")
    assert err == (
        f"pixelift: training needs {package}, which is not installed. "
        "Run: pip install 'pixelift[train]'\n"
    )


def test_it_trains_where_there_are_only_the_packages_that_it_cannot_do_without(
    without, recipe, dataset, tmp_path
):
    missing = ("tensorboard", "matplotlib", "rich", "PIL", "pyvips", "openvino", "scipy")
    done = without(missing, "train", recipe, "--data", dataset, "-o", "run", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    first, *others = done.stdout.splitlines()
    assert first.startswith("tensorboard and matplotlib not installed: log.jsonl holds the curves")
    assert [line.partition(":")[0] for line in others] == ["step 2", "run"]
    made = {path.name for path in (tmp_path / "run").iterdir()}
    assert made == FILES - {"tensorboard", "curves.png"}


def test_the_whole_program_says_what_to_install_where_there_is_no_torch(
    without, recipe, dataset, tmp_path
):
    done = without("torch", "train", recipe, "--data", dataset, "-o", "run", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "training needs torch, which is not installed" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()

"""The command `pixelift`: its sub-commands, and how an error becomes one line and an exit code."""

import _thread
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter, Token, UnknownCommandError

from pixelift.cli.streams import lead_nowhere, lost_output, secure
from pixelift.errors import (
    ConfigError,
    EngineUnavailableError,
    PixeliftError,
    ShapeError,
    UnknownNameError,
    WrongDatasetError,
    WrongRunError,
    unknown_name,
)
from pixelift.image.shown import shown, told

FINE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: all done; some inputs failed; wrong usage; stopped by Ctrl-C, as shells have it."""

USAGE_ERRORS = (
    ConfigError,
    UnknownNameError,
    ShapeError,
    EngineUnavailableError,
    WrongDatasetError,
    WrongRunError,
)
"""What another command line, or another package installed, would have avoided."""

COMMANDS = {
    "upscale": ("pixelift.cli.upscale:upscale", "Super-resolve pictures and folders of pictures."),
    "video": ("pixelift.cli.video:video", "Super-resolve a film, frame by frame."),
    "serve": ("pixelift.cli.serve:serve", "Open a page to drop photos on, and serve over HTTP."),
    "bench": ("pixelift.cli.bench:bench", "Measure this machine, and tell which flags to use."),
    "models": ("pixelift.cli.models:models", "List the models that can be used."),
    "evaluate": ("pixelift.cli.evaluate:evaluate", "Measure a model on pictures known in full."),
    "prepare": ("pixelift.cli.prepare:prepare", "Turn photos into a training set."),
    "degrade": (
        "pixelift.cli.degrade:degrade",
        "Make small, noisy, compressed pictures of good ones.",
    ),
    "train": ("pixelift.cli.train:train", "Train a network as a recipe says."),
    "export": ("pixelift.cli.export:export", "Write a trained network to an .onnx file."),
}
"""Each command, where it lives, and what it does: told here so that `--help` need not import it."""


def version() -> str:
    """Look up the version of the installed package.

    Returns:
        The version, or "unknown" where the source is run without having been installed.
    """
    from importlib import metadata

    try:
        return metadata.version("pixelift")
    except metadata.PackageNotFoundError:
        return "unknown"


def whole_number(type_: Any, tokens: Sequence[Token]) -> int:  # noqa: ANN401 - cyclopts' contract
    """Read an option as a whole number, where the parser's own reading would cut 2.5 to 2.

    Args:
        type_: Type of the parameter; not used.
        tokens: What was typed.

    Returns:
        The number.

    Raises:
        ValueError: It is not one; the parser makes its message of it.
    """
    del type_
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f'"{tokens[0].value}" is no whole number') from None


def complain(message: object) -> None:
    """Tell the person in one line on stderr what went wrong.

    Args:
        message: An error or a text.
    """
    print(f"pixelift: {shown(' '.join(str(message).split()))}", file=sys.stderr)


def make_app(named: str | None = None) -> App:
    """Put the command line together; nothing but the parser is imported by it.

    Args:
        named: The command that is going to be run. Its help is its docstring, all of it; of the
            others only the summary is known.

    Returns:
        The application. Its `meta` takes the options of every command.
    """
    settings: dict[str, Any] = {
        # No --no-json beside --json: what is off by default needs no option to turn it off.
        "default_parameter": Parameter(negative=()),
        "suppress_keyboard_interrupt": False,
    }
    app = App(
        name="pixelift",
        help="Super-resolution: pictures with more pixels, and what it takes to train for them.",
        # Plain text here: Markdown, which joins the lines of docstrings in the help of commands,
        # needs a parser whose import is a fifth of the time that `pixelift --help` takes.
        help_format="plaintext",
        version=version,
        **settings,
    )
    for name, (place, summary) in COMMANDS.items():
        known = None if name == named else summary
        app.command(place, name=name, help=known, help_format="markdown", **settings)
    app.meta.suppress_keyboard_interrupt = False

    @app.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        debug: bool = False,
    ) -> object:
        """Hand the words over to the command.

        Args:
            tokens: The command and its options.
            debug: Show where in the code an error came up.
        """
        del debug  # `main` looks for it, since errors of the parsing itself come before this
        return app(tokens, exit_on_error=False, print_error=False, result_action="return_value")

    return app


def main(arguments: Sequence[str]) -> int:
    """Run a command line and turn whatever comes of it into an exit code.

    Args:
        arguments: Words after the name of the program.

    Returns:
        0 when all went well, 1 when some inputs failed, 2 for wrong usage, 130 when interrupted.
    """
    app = make_app(next((word for word in arguments if word in COMMANDS), None))
    try:
        result = app.meta(
            # The parser takes a lone dash for an option; as a path it is the same dash.
            ["./-" if word == "-" else word for word in arguments],
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone. What is still buffered must not be flushed to it when
        # the interpreter ends, which would complain.
        lead_nowhere(sys.stdout)
        return FAILED
    except (CycloptsError, PixeliftError, OSError, MemoryError, KeyboardInterrupt) as error:
        if "--debug" in arguments:
            traceback.print_exc()
        return explain(error)
    return result if isinstance(result, int) else FINE


def explain(error: BaseException) -> int:
    """Tell about an error that ended a command.

    Args:
        error: What was raised.

    Returns:
        The exit code that belongs to it.
    """
    if isinstance(error, KeyboardInterrupt):
        complain(error if error.args else "stopped")
        return INTERRUPTED
    if isinstance(error, UnknownCommandError):
        # Its own text would import every command to tell their names.
        word = (error.unused_tokens or [""])[0]
        complain(unknown_name("command", word, COMMANDS, hint="pixelift --help"))
        return USAGE
    if isinstance(error, CycloptsError):
        words = " ".join(["pixelift", *(error.command_chain or ())])
        problem = str(error).rstrip(".")
        stop = "" if problem.endswith("?") else "."
        complain(f"{problem}{stop} Run: {words} --help")
        return USAGE
    if isinstance(error, MemoryError) and not isinstance(error, PixeliftError):
        complain("out of memory. Close other programs, or give smaller pictures")
        return FAILED
    if isinstance(error, OSError) and error.filename is not None:
        complain(f"{told(error)}. Check the path")
        return FAILED
    complain(error)
    return USAGE if isinstance(error, USAGE_ERRORS) else FAILED


def deliver_again(report: "sys.UnraisableHookArgs") -> None:
    """Deliver an interrupt once more that came where none can be raised.

    libvips calls into Python for each line of its log, dozens of times a picture, and an
    exception raised there is lost: without this, every other Ctrl-C would do nothing.

    Args:
        report: What Python tells about an exception that it has to ignore.
    """
    if report.exc_type is not None and issubclass(report.exc_type, KeyboardInterrupt):
        timer = threading.Timer(0.05, _thread.interrupt_main)
        timer.daemon = True
        timer.start()
    else:
        sys.__unraisablehook__(report)


def run() -> None:
    """Run the program: the entry point of the installed command."""
    secure()
    sys.unraisablehook = deliver_again
    code = main(sys.argv[1:])
    if code == FINE and (lost := lost_output()):
        complain(lost)
        code = FAILED
    sys.exit(code)

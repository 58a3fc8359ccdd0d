"""Lets `python -m pixelift` do what the command `pixelift` does."""

from pixelift.cli.main import run

if __name__ == "__main__":
    run()

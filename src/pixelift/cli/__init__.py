"""The command line: one file for each command, imported when that command is run."""

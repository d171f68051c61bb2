"""The command line. Command modules import what they need when they run, so that ``--help`` answers at once."""

from quotalab.cli.main import main

__all__ = ["main"]

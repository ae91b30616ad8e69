"""Options that several commands have."""

import argparse
from typing import get_args

from baton_handoff.reporting.findings import Format


def add_format(command: argparse.ArgumentParser) -> None:
    """Let findings be shown to people, programs and a provider's log."""
    command.add_argument("--format", choices=get_args(Format), default="terminal")

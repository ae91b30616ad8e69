"""Options that several commands have."""

import argparse
from typing import get_args

from baton_handoff.reporting.findings import Format

BASE = "; by default the branch that this one follows, the remote's main branch or the last commit"
"""What an option that names a base says of its default."""


def add_format(command: argparse.ArgumentParser) -> None:
    """Let findings be shown to people, programs and a provider's log."""
    command.add_argument("--format", choices=get_args(Format), default="terminal")

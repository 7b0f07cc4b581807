"""What every command is handed: where the configuration is and how much to say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional


@dataclass
class Context:
    """The global options of one call."""

    directory: Optional[Path]
    verbose: int

from __future__ import annotations

import os
import pty
import subprocess
import sys

CODE = """
from fedcloud_agent.cli.output import print_table
print_table(["name", "value"], [["a", "[bold]x[/bold]"], ["b", "y" * 120]])
"""


def _on_a_terminal() -> str:
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "dumb"}
    with subprocess.Popen([sys.executable, "-c", CODE], stdout=child, env=environment) as process:
        os.close(child)
        shown = b""
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:  # the kernel's end of file for a terminal whose other side has closed
                break
            if not part:
                break
            shown += part
    os.close(parent)
    assert process.returncode == 0
    return shown.decode("utf-8")


def test_in_a_pipe_a_table_is_plain_columns_and_never_cut() -> None:
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.splitlines() == ["NAME  VALUE", "a     [bold]x[/bold]", "b     " + "y" * 120]


def test_on_a_terminal_a_table_fits_and_brackets_stay() -> None:
    shown = _on_a_terminal()
    assert "[bold]x[/bold]" in shown
    assert shown.count("y") == 120
    assert max(len(line) for line in shown.splitlines()) <= 80

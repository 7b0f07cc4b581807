"""A real daemon whose configuration is a JSON file of commands: what the tests of the daemon start.

``python -m tests.integration.daemon_of_loops STATE LOOPS`` where LOOPS holds {"loops": [[name, cloud, [when], deadline,
argv]], "settings": {}, "faults": []}, or anything else for a configuration that cannot be used.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fedcloud_agent import log
from fedcloud_agent.daemon.daemon import Daemon
from fedcloud_agent.daemon.loops import Loaded, Loop
from fedcloud_agent.daemon.settings import DaemonSettings
from fedcloud_agent.errors import AgentError, ConfigurationError
from fedcloud_agent.settings import Schedule


def main() -> int:
    state, configuration = Path(sys.argv[1]), Path(sys.argv[2])

    def load() -> Loaded:
        content = configuration.read_bytes()
        try:
            values = json.loads(content)
        except ValueError:
            raise ConfigurationError(f"{configuration} is half-edited", hint="finish it") from None
        loops = tuple(
            Loop(name, cloud, tuple(Schedule().parse(w) for w in when), deadline, tuple(argv))
            for name, cloud, when, deadline, argv in values["loops"]
        )
        return Loaded(loops, content, tuple(values.get("faults", ())), DaemonSettings(**values.get("settings", {})))

    log.start()
    try:
        Daemon(state, load).run()
    except AgentError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

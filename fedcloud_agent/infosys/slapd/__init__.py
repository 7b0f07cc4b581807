"""Our own slapd, which answers on port 2170: configured, loaded, watched and handed over; never asked to be clever.

A slapd stands on one of two *sides*, directories of the same make. A new tree is loaded beside the old one, on the idle
side; then the old server stops listening and serves its clients to the end, while a new one takes the port.

:mod:`~fedcloud_agent.infosys.slapd.installation` finds the programs and schemas of the distribution,
:mod:`~fedcloud_agent.infosys.slapd.configuration` writes slapd.conf, :mod:`~fedcloud_agent.infosys.slapd.loading` fills
a side, :mod:`~fedcloud_agent.infosys.slapd.server` is one running slapd, and
:mod:`~fedcloud_agent.infosys.slapd.service` the life of them all. What a publisher has to know is in
:mod:`~fedcloud_agent.infosys.slapd.serving`.
"""

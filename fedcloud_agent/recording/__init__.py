"""Anonymised recordings of a cloud's answers, which developers replay: a report of a bug that is its own test.

:mod:`~fedcloud_agent.recording.recorder` looks on at the HTTP door while a cloud is read, the
:mod:`~fedcloud_agent.recording.veil` replaces whatever the plugin does not declare harmless by pseudonyms, and
:mod:`~fedcloud_agent.recording.archive` keeps what is left. :mod:`~fedcloud_agent.recording.checking` walks the same
way through a finished recording and tells what does not look like a pseudonym.
"""

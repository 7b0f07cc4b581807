"""Whether what an answer tells of a machine's history is enough, together with what is known of it. Pure."""

from __future__ import annotations

from typing import Optional

from fedcloud_agent.clouds.contract import COMPLETED, VirtualMachine
from fedcloud_plugins.opennebula.row import Form, Row
from fedcloud_plugins.opennebula.states import is_over, may_run, status_of, word_of
from fedcloud_plugins.opennebula.trace import trace_of


def needs_history(row: Row, known: Optional[VirtualMachine]) -> bool:
    """Tell whether all history records have to be read (``one.vm.info``) before :func:`machine_of` can be sure.

    A machine with a single record shows all of it; that its SEQ is 0 says so, for ``onedb purge-history`` leaves two.
    One whose last record was the last one at the previous look too has changed in nothing but that record: unless an
    earlier one was still open then.
    """
    if row.form is Form.FULL or not row.history or row.odd or status_of(row) is None:
        return False
    if known is not None and known.status == COMPLETED and is_over(row):
        return False
    last = row.history[-1]
    trace = trace_of(known)
    if row.form is Form.SHORT:
        if known is None or trace is None or trace.last is None:
            return True
        return (last.seq, last.hid) != (trace.last.seq, trace.last.hid) or word_of(row) != known.cloud_status
    if trace is None or trace.last is None:
        if last.seq > 0:
            return True
        # a guest is off, and nothing here says since when: the long form tells at least when it was monitored last
        return bool(last.rstime) and not (last.closed or row.polled or may_run(row) or is_over(row))
    return last.key != trace.open

"""The ledger: every virtual machine ever seen, and for each destination the newest record of each of its months.

Of machines that were let go years after their end only sums stay (closing), and a mark that they were here (departed).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text, and_, bindparam, text

from fedcloud_agent.store.schema import metadata

vm = Table(
    "vm",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cloud", Text, nullable=False),
    Column("uuid", Text, nullable=False),
    # what the cloud last said of it (clouds.contract.VirtualMachine)
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("cloud_status", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("global_user", Text),
    Column("vo", Text, nullable=False),
    Column("start", BigInteger),
    Column("end", BigInteger),
    Column("changed", BigInteger),
    Column("cpu_count", Integer, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("disk", BigInteger, nullable=False),
    Column("image", Text),
    Column("public_ips", Integer),
    Column("running", Text),  # JSON [[from, to or null], …]; null: all its life counts
    Column("cpu_seconds", BigInteger),
    Column("network_in", BigInteger),
    Column("network_out", BigInteger),
    Column("benchmark_type", Text),
    Column("benchmark", Float),
    Column("site", Text),  # SiteName, where the cloud names another one
    Column("trace", Text),  # the plugin's own words
    # what we made of it
    Column("sizes", Text),  # JSON [[from, cpu_count], …] once it was resized; null: always cpu_count
    Column("scope", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("alive_at", BigInteger),  # the last instant at which it was known, or reported, to be alive
    Column("seen_full", Integer, nullable=False),  # number of the last full listing that showed it
    Column("missed", Integer, nullable=False),  # full listings in a row that did not show it
    Column("missed_since", BigInteger),
    Column("unreadable", Text),  # why the cloud could not describe it at the last look
    Column("due", BigInteger),  # when the next record is to be made; 0: at once; null: never again
    Column("note", Text),  # what a person should know of its accounting
)
Index("uq_vm_cloud_uuid", vm.c.cloud, vm.c.uuid, unique=True)
Index("ix_vm_cloud_due", vm.c.cloud, vm.c.scope, vm.c.due)

scope = Table(
    "scope",
    metadata,
    Column("cloud", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("as_of", BigInteger),  # the cloud's time of the last complete listing; records are made up to it
    Column("full_as_of", BigInteger),
    Column("full_number", Integer, nullable=False),
    Column("mark", Text),  # the plugin's own words on how far it read
)

stream = Table(
    "stream",
    metadata,
    Column("cloud", Text, primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("policy", Text, nullable=False),  # the first_run that was in force when the first records were made
    Column("baseline", BigInteger),
    Column("since", BigInteger, nullable=False),  # machines first seen up to here fall under the policy
    Column("resting", Integer),  # 1: the destination was not configured at the last extraction
)

record = Table(
    "record",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("vm", Integer, ForeignKey("vm.id"), primary_key=True),
    Column("month", Integer, primary_key=True),
    Column("measured", BigInteger, nullable=False),  # MeasurementTime at the repository
    Column("wall", BigInteger, nullable=False),
    Column("cpu", BigInteger, nullable=False),
    Column("network_in", BigInteger),
    Column("network_out", BigInteger),
    Column("content", Text, nullable=False),  # the newest record made, as it stands in a message
    Column("key_fields", Text, nullable=False),  # its key fields (record.KEYS)
    Column("figures", Text, nullable=False),  # its numbers (centre.Figures)
    Column("pending", Integer, nullable=False),  # 1: the newest is in no message yet
    Column("message", Text),  # the unacknowledged message that holds a record of this VM-month
    Column("flying", Text),  # the key fields of the record in that message
    Column("flying_figures", Text),  # and its numbers
    Column("published", Text),  # the key fields last acknowledged
    Column("published_figures", Text),  # and the numbers; null: not known, acknowledged before state 0004
    Column("acknowledged", BigInteger),
    Column("peer", Text),  # who acknowledged it
    Column("rejected", Text),  # why the newest record must not leave
)
Index("ix_record_vm", record.c.vm)  # what refers to a machine that is let go is looked for each time
Index(
    "ix_record_pending",
    record.c.destination,
    record.c.vm,
    sqlite_where=text("pending = 1"),
    postgresql_where=text("pending = 1"),
)
Index(
    "ix_record_message",
    record.c.message,
    sqlite_where=text("message IS NOT NULL"),
    postgresql_where=text("message IS NOT NULL"),
)
THIS_RECORD = and_(
    record.c.destination == bindparam("of_destination"),
    record.c.vm == bindparam("of_vm"),
    record.c.month == bindparam("of_month"),
)
"""The one record that the parameters name; an update takes the columns' own names for what it sets."""

republication = Table(
    "republication",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("cloud", Text),  # null: every cloud
    Column("vo", Text),  # null: every VO
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("month", Integer, nullable=False),  # how far it got: this month,
    Column("vm", Integer, nullable=False),  # up to this machine
    Column("records", Integer, nullable=False),  # so many were let go out again
    Column("begun", BigInteger, nullable=False),
)

closing = Table(
    "closing",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("cloud", Text, primary_key=True),
    Column("site", Text, primary_key=True),  # SiteName as published
    Column("vo", Text, primary_key=True),  # as the cloud last told it
    Column("fqan", Text, primary_key=True),  # FQAN as published
    Column("month", Integer, primary_key=True),
    # what machines that were let go used within the month
    Column("machines", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("processors", BigInteger, nullable=False),  # wall time times CpuCount as published, in thousandths
    Column("cpu", BigInteger, nullable=False),
    Column("cpu_count", BigInteger, nullable=False),  # in thousandths
    Column("network_in", BigInteger, nullable=False),  # GB as published, like the others below
    Column("network_out", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("disk", BigInteger, nullable=False),
    Column("earliest_start", BigInteger, nullable=False),
    Column("latest_start", BigInteger, nullable=False),
)

departed = Table(
    "departed",
    metadata,
    Column("cloud", Text, primary_key=True),
    Column("digest", Text, primary_key=True),  # of the VMUUID
)

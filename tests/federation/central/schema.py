"""The tables of the central repository, in SQLite: texts compare without case, as in the centre's database."""

from __future__ import annotations

from tests.federation.central.loader import CloudRecord

SCHEMA = """
CREATE TABLE IF NOT EXISTS CloudRecords (
    RecordCreateTime INTEGER,
    VMUUID TEXT NOT NULL COLLATE NOCASE,
    SiteName TEXT NOT NULL COLLATE NOCASE,
    CloudComputeService TEXT NOT NULL COLLATE NOCASE,
    MachineName TEXT NOT NULL,
    LocalUserId TEXT NOT NULL,
    LocalGroupId TEXT NOT NULL,
    GlobalUserName TEXT NOT NULL COLLATE NOCASE,
    FQAN TEXT NOT NULL,
    VO TEXT NOT NULL COLLATE NOCASE,
    VOGroup TEXT NOT NULL COLLATE NOCASE,
    VORole TEXT NOT NULL COLLATE NOCASE,
    Status TEXT NOT NULL COLLATE NOCASE,
    StartTime INTEGER,
    EndTime INTEGER,
    MeasurementTime INTEGER,
    MeasurementMonth INTEGER NOT NULL,
    MeasurementYear INTEGER NOT NULL,
    SuspendDuration INTEGER,
    WallDuration INTEGER,
    CpuDuration INTEGER,
    CpuCount REAL NOT NULL,
    NetworkType TEXT NOT NULL,
    NetworkInbound INTEGER,
    NetworkOutbound INTEGER,
    PublicIPCount INTEGER,
    Memory INTEGER,
    Disk INTEGER,
    BenchmarkType TEXT NOT NULL COLLATE NOCASE,
    Benchmark REAL NOT NULL,
    StorageRecordId TEXT NOT NULL,
    ImageId TEXT NOT NULL COLLATE NOCASE,
    CloudType TEXT NOT NULL,
    Publisher TEXT NOT NULL,
    PRIMARY KEY (VMUUID, MeasurementMonth, MeasurementYear)
);

-- The spelling under which a name was first seen; it is published for every other spelling.
CREATE TABLE IF NOT EXISTS Names (
    Kind TEXT NOT NULL,
    Name TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (Kind, Name)
);

CREATE TABLE IF NOT EXISTS CloudSummaries (
    UpdateTime INTEGER NOT NULL,
    SiteName TEXT NOT NULL COLLATE NOCASE,
    CloudComputeService TEXT NOT NULL COLLATE NOCASE,
    Month INTEGER NOT NULL,
    Year INTEGER NOT NULL,
    GlobalUserName TEXT NOT NULL COLLATE NOCASE,
    VO TEXT NOT NULL COLLATE NOCASE,
    VOGroup TEXT NOT NULL COLLATE NOCASE,
    VORole TEXT NOT NULL COLLATE NOCASE,
    Status TEXT NOT NULL COLLATE NOCASE,
    CloudType TEXT NOT NULL,
    ImageId TEXT NOT NULL COLLATE NOCASE,
    EarliestStartTime INTEGER,
    LatestStartTime INTEGER,
    WallDuration INTEGER,
    CpuDuration INTEGER,
    CpuCount REAL NOT NULL,
    NetworkInbound INTEGER,
    NetworkOutbound INTEGER,
    Memory INTEGER,
    Disk INTEGER,
    BenchmarkType TEXT NOT NULL COLLATE NOCASE,
    Benchmark REAL NOT NULL,
    NumberOfVMs INTEGER NOT NULL,
    PRIMARY KEY (SiteName, CloudComputeService, Month, Year, GlobalUserName, VO, VOGroup, VORole, Status, ImageId,
                 CpuCount, BenchmarkType, Benchmark)
);

-- Every delivery of the broker, in the order of arrival.
CREATE TABLE IF NOT EXISTS Messages (
    Number INTEGER PRIMARY KEY,
    EmpaId TEXT NOT NULL,
    Received REAL NOT NULL,
    Outcome TEXT NOT NULL,
    Reason TEXT,
    Signer TEXT,
    WireSha256 TEXT NOT NULL,
    BodySha256 TEXT,
    Records INTEGER NOT NULL
);
"""

REPLACE_RECORD = f"REPLACE INTO CloudRecords VALUES ({', '.join('?' * len(CloudRecord._fields))})"

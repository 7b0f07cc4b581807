"""What the service keeps: the messages of each topic by number, and how far each subscription has acknowledged."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS subscriptions (name TEXT PRIMARY KEY, topic TEXT NOT NULL, position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    topic TEXT NOT NULL, number INTEGER NOT NULL, attributes TEXT NOT NULL, data TEXT NOT NULL, published TEXT NOT NULL,
    PRIMARY KEY (topic, number)
);
"""


class Kept(NamedTuple):
    """A published message; ``data`` in base64 as it came."""

    number: int
    attributes: Dict[str, str]
    data: str
    published: str


class Shelf:
    """The messages of all projects, in a file. Topics and subscriptions are named ``PROJECT/NAME``."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.Lock()

    def make_topic(self, name: str) -> None:
        self._ask("INSERT OR IGNORE INTO topics VALUES (?)", (name,))

    def make_subscription(self, name: str, topic: str) -> None:
        self._ask("INSERT OR IGNORE INTO subscriptions VALUES (?, ?, 0)", (name, topic))

    def has_topic(self, name: str) -> bool:
        return bool(self._ask("SELECT 1 FROM topics WHERE name = ?", (name,)))

    def topic_of(self, subscription: str) -> Optional[str]:
        rows = self._ask("SELECT topic FROM subscriptions WHERE name = ?", (subscription,))
        return str(rows[0][0]) if rows else None

    def put(self, topic: str, attributes: Dict[str, str], data: str, published: str) -> int:
        """Keep a message and return its number, from 0 in each topic."""
        with self._lock:
            number = int(
                self._connection.execute(
                    "SELECT COALESCE(MAX(number) + 1, 0) FROM messages WHERE topic = ?", (topic,)
                ).fetchone()[0]
            )
            self._connection.execute(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?)", (topic, number, json.dumps(attributes), data, published)
            )
        return number

    def messages(self, topic: str, since: int = 0, most: int = 1_000_000) -> List[Kept]:
        """Return messages from a number on, in order."""
        rows = self._ask(
            "SELECT number, attributes, data, published FROM messages WHERE topic = ? AND number >= ?"
            " ORDER BY number LIMIT ?",
            (topic, since, most),
        )
        return [Kept(row[0], json.loads(row[1]), row[2], row[3]) for row in rows]

    def position(self, subscription: str) -> int:
        """Return the number of the first message that was not acknowledged."""
        return int(self._ask("SELECT position FROM subscriptions WHERE name = ?", (subscription,))[0][0])

    def acknowledge(self, subscription: str, number: int) -> None:
        """Move a subscription on behind a message."""
        self._ask("UPDATE subscriptions SET position = MAX(position, ?) WHERE name = ?", (number + 1, subscription))

    def _ask(self, question: str, values: Sequence[Any]) -> List[Tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(question, values).fetchall()

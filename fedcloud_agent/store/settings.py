"""Where the state is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from fedcloud_agent.settings import Duration, Secret, SecretFile, Url, setting


@dataclass(frozen=True)
class StoreSettings:
    """The database of the agent's state: a file of SQLite, unless a stand-by shares a PostgreSQL server."""

    url: Optional[str] = setting(
        Url("sqlite", "postgresql", "postgresql+psycopg2", host=False),
        help="SQLAlchemy's URL of the database, without a password. Default: a file in the state directory.",
        default=None,
        example="postgresql://fedcloud@db.example.org/fedcloud",
    )
    password_file: Optional[Secret] = setting(
        SecretFile(),
        help="The password of a PostgreSQL user.",
        default=None,
        example="/etc/fedcloud-agent/database.secret",
    )
    busy_timeout: int = setting(
        Duration(1, 600), help="How long a write waits for another run to finish its own.", default=60
    )

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Refuse a password in the query of the URL, and one that nobody would ask for."""
        parts = urlsplit(self.url or "")
        if any(key.lower() in ("password", "passwd", "pass") for key, _ in parse_qsl(parts.query)):
            yield "url", "a password in a URL ends in logs; give it by 'password_file'"
        if self.password_file is not None and not parts.scheme.startswith("postgresql"):
            yield "password_file", "only a PostgreSQL database has a password; set 'url' to one"

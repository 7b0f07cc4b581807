"""The one door to LDAP: a directory that is searched and changed, with every answer read and every wait bounded.

:mod:`~fedcloud_agent.ldap.directory` is a connection; python-ldap is loaded when one is opened, and by nobody else.
:mod:`~fedcloud_agent.ldap.greeting` asks who answers at an address, without any library: what has to be quick, and what
may meet anything, asks there.
"""

from __future__ import annotations

from fedcloud_agent.ldap.directory import Directory
from fedcloud_agent.ldap.errors import BusyDirectoryError, DeniedError, LdapError, NoSuchEntryError
from fedcloud_agent.ldap.operations import Add, Change, Delete, Found, Modify, Operation, Refused

__all__ = [
    "Add",
    "BusyDirectoryError",
    "Change",
    "Delete",
    "DeniedError",
    "Directory",
    "Found",
    "LdapError",
    "Modify",
    "NoSuchEntryError",
    "Operation",
    "Refused",
]

"""What can go wrong with a directory, in words and exit codes."""

from __future__ import annotations

from typing import Any, Dict, Type

from fedcloud_agent.errors import AgentError, RefusedError, RemoteDataError, TryAgainError, UnreachableError

NO_SUCH_OBJECT = 32
INVALID_DN = 34
_TIMEOUT = -5
_BUSY = frozenset({3, 4, 11, 51, 52})
"""The server gave up before it was done: time limit, size limit, its own limit, busy, unavailable."""
_DENIED = frozenset({8, 48, 49, 50})


class LdapError(AgentError):
    """A directory cannot be reached, or does not answer as one."""

    exit_code = UnreachableError.exit_code


class BusyDirectoryError(LdapError):
    """A directory answered in part, or was too slow; it may do better later."""

    exit_code = TryAgainError.exit_code


class DeniedError(LdapError):
    """A directory does not let us."""

    exit_code = RefusedError.exit_code


class NoSuchEntryError(LdapError):
    """The base of a search is not there."""

    exit_code = RemoteDataError.exit_code


def code_of(error: Exception) -> int:
    """Return the result code of an error of python-ldap; negative where the server said nothing."""
    code = _said(error).get("result", getattr(error, "errnum", 80))
    return code if isinstance(code, int) else 80


def words_of(error: Exception) -> str:
    """Return what the server or the library said, in one line."""
    said = _said(error)
    words = [str(said[key]) for key in ("desc", "info") if said.get(key)] or [str(error) or type(error).__name__]
    return ": ".join(dict.fromkeys(" ".join(one.split()) for one in words))


def translated(error: Exception, url: str, what: str) -> LdapError:
    """Return an error of python-ldap as one of ours; ``what`` ends the sentence "… while it was asked to"."""
    code = code_of(error)
    if code == _TIMEOUT:
        return silent(url, what)
    if code < 0:
        return LdapError(
            f"the directory {url} cannot be reached, or broke off, while it was asked to {what}: {words_of(error)}",
            hint="check that it runs and that nothing lies between",
        )
    kind: Type[LdapError] = LdapError
    if code == NO_SUCH_OBJECT:
        kind = NoSuchEntryError
    elif code in _BUSY:
        kind = BusyDirectoryError
    elif code in _DENIED:
        kind = DeniedError
    return kind(f"the directory {url} did not {what}: {words_of(error)} (result {code})")


def silent(url: str, what: str) -> LdapError:
    """Return the error for a server of which nothing is heard."""
    return LdapError(
        f"the directory {url} does not answer; it was asked to {what}", hint="check that it runs and is not overloaded"
    )


def _said(error: Exception) -> Dict[str, Any]:
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}

"""A cloud whose accounts are in the JSON file that the variable FILE_CLOUD names; a third party's plugin, installed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, Optional

from fedcloud_agent.clouds.accounts import Account, Accounts, Content, Mark, Wanted
from fedcloud_agent.clouds.contract import Cloud, UsersFacet
from fedcloud_agent.errors import RefusedError, UnreachableError


class FileCloud(Cloud, UsersFacet):
    cloud_type = "File"
    host = "file.example.org"

    def close(self) -> None:
        pass

    @property
    def _file(self) -> Path:
        return Path(os.environ["FILE_CLOUD"])

    def _read(self) -> Dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_bytes()))
        except FileNotFoundError:
            raise UnreachableError("the file is gone") from None

    def _put(self, account: Account) -> None:
        document = self._read()
        document["accounts"][account.id] = account
        document["writes"] = document.get("writes", 0) + 1
        self._file.write_text(json.dumps(document))

    def accounts(self) -> Accounts:
        document = self._read()
        found = tuple(self._account(values) for values in document["accounts"].values())
        return Accounts(found, document["groups"], {group: vo for vo, group in document["groups"].items()})

    def account(self, id: str) -> Optional[Account]:
        values = self._read()["accounts"].get(id)
        return self._account(values) if values is not None else None

    def _account(self, values: Any) -> Account:
        id, name, active, content, mark, protected = values
        group, subjects, global_user, person, mail, login, keys, quota = content
        limits = tuple((limit, value) for limit, value in quota)
        told = Content(group, tuple(subjects), global_user, person, mail, login, tuple(keys), limits)
        return Account(id, name, active, told, Mark(*mark) if mark else None, protected)

    def create(self, wanted: Wanted) -> Account:
        if wanted.name.endswith("_666"):
            raise RefusedError("the cloud does not like this number")
        account = Account(f"id-{wanted.name}", wanted.name, True, wanted.content, wanted.mark)
        self._put(account)
        return account

    def update(self, account: Account, wanted: Wanted) -> None:
        self._put(account._replace(active=True, content=wanted.content, mark=wanted.mark))

    def suspend(self, account: Account, wanted: Wanted) -> None:
        self._put(account._replace(active=False, content=wanted.content, mark=wanted.mark))

    def delete(self, account: Account) -> None:
        raise RefusedError("nobody is deleted here")

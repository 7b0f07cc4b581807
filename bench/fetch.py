"""The least that a client can do: log in, and read the listing page by page, one after the other.

``python -m bench.fetch AUTH_URL COMPUTE_URL USER PASSWORD PROJECT PAGE MICROVERSION [FILE]``: with a file, the bodies
of the pages are kept in it, one in each line.
"""

from __future__ import annotations

import sys
from typing import List

from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session


def main(
    auth_url: str, compute_url: str, user: str, password: str, project: str, page: str, version: str
) -> List[bytes]:
    plugin = Password(
        auth_url,
        username=user,
        password=password,
        user_domain_id="default",
        project_name=project,
        project_domain_id="default",
    )
    session = Session(auth=plugin)
    headers = {"OpenStack-API-Version": f"compute {version}"}
    bodies: List[bytes] = []
    for more in ("", "&deleted=true"):
        url = f"{compute_url}/servers/detail?all_tenants=1&limit={page}{more}"
        while url:
            answer = session.get(url, headers=headers)
            bodies.append(answer.content)
            links = answer.json().get("servers_links", [])
            url = links[0]["href"] if links else ""
    return bodies


if __name__ == "__main__":
    pages = main(*sys.argv[1:8])
    if len(sys.argv) > 8:
        with open(sys.argv[8], "wb") as file:
            file.write(b"\n".join(pages))

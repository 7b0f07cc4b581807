"""Which appliance a machine was made of. Pure, but for the look-ups that it is handed."""

from __future__ import annotations

import re
from typing import Callable, Mapping, Optional, Sequence

from fedcloud_plugins.opennebula.pools import Image, Template
from fedcloud_plugins.opennebula.row import Row, identifier

_MIXIN = re.compile(r"\S*\bos_tpl#\S+")
_MIXINS = ("OCCI_COMPUTE_MIXINS", "OCCI_MIXIN")


def image_of_machine(
    row: Row,
    keys: Sequence[str],
    image: Callable[[int], Optional[Image]],
    template: Callable[[int], Optional[Template]],
) -> Optional[str]:
    """Return what a record calls the image: the appliance's URI where anything tells it, else the image's id.

    ``keys``: the attributes of a disk, image or template that hold it, best first. A disk without image is of a
    StratusLab cloud where its source is the appliance's metadata.
    """
    disk: Mapping[str, str] = row.first_disk
    named = next((disk[key] for key in keys if key in disk), None)
    if named:
        return named
    number = identifier(disk.get("IMAGE_ID"))
    found = image(number) if number is not None else None
    if found is not None and found.appliance:
        return found.appliance
    made_from = template(row.template) if row.template is not None else None
    if made_from is not None and made_from.appliance:
        return made_from.appliance
    for name in _MIXINS:
        mixin = _MIXIN.search(row.told.get(name, ""))
        if mixin is not None:
            return mixin.group()
    source = disk.get("SOURCE", "")
    if number is None:
        return source if source.startswith(("http://", "https://")) else None
    return str(number)

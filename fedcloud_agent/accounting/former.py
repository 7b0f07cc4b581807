"""What former accounting tools on this machine were configured with, and which settings go on with their history.

Of their files only what names records is read: sites, endpoints, services. Passwords stand in them, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from fedcloud_agent.accounting.settings import BASELINE, CONTINUE

CLOUD = "clouds.NAME."
_LARGEST = 1_000_000
_NAMES = (f"{CLOUD}uuid_style", f"{CLOUD}uuid_endpoint")
"""The settings of a cloud that make up VMUUIDs. A zone has several names, so it is not judged."""


class Former(NamedTuple):
    """A tool that was configured here. ``settings``: what agent.yaml must say to go on, by their keys, as written."""

    tool: str
    path: Path
    cloud_type: str
    first_run: str
    settings: Mapping[str, str]
    remarks: Tuple[str, ...] = ()


class Difference(NamedTuple):
    """A setting that is not as a former tool had it. ``names``: machines would have other VMUUIDs."""

    key: str
    ours: str
    theirs: str
    names: bool


def formers(root: Path) -> List[Former]:
    """Return the tools whose configuration is on this machine; one that cannot be read is there with a remark."""
    found = []
    for tool, cloud_type, first_run, path, read in _TOOLS:
        file = root / path
        told = Former(tool, file, cloud_type, first_run, {})
        try:
            if file.is_file():
                settings, remarks = read(file, root)
                found.append(told._replace(settings=settings, remarks=remarks))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            found.append(told._replace(remarks=(f"it cannot be read ({reason}): look into it yourself",)))
    return found


def differences(former: Former, configured: Callable[[str], Optional[object]]) -> List[Difference]:
    """Return the settings that are configured otherwise than the former tool had them.

    ``configured``: returns what is configured under a key, where ``clouds.NAME`` is the cloud's own; None: nothing.
    """
    found = []
    for key, theirs in former.settings.items():
        ours = configured(key)
        told = "" if ours is None else str(ours)
        if key != f"{CLOUD}uuid_zone" and told.rstrip("/").lower() != theirs.rstrip("/").lower():
            found.append(Difference(key, told or "not set", theirs, key in _NAMES))
    return found


_Read = Tuple[Mapping[str, str], Tuple[str, ...]]
"""Settings and remarks."""


def _caso(file: Path, root: Path) -> _Read:
    import configparser

    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string(_text(file))
    except configparser.Error as error:
        raise ValueError(f"it is not as cASO has it: {error.message.splitlines()[0]}") from error
    told = parser.defaults()
    settings = _given(
        {"site": told.get("site_name"), f"{CLOUD}service": told.get("service_name") or told.get("site_name")}
    )
    settings.update(_given({f"{CLOUD}project_tag": told.get("caso_tag")}))
    voms = told.get("mapping_file") or "/etc/caso/voms.json"
    if (root / voms.lstrip("/")).is_file():
        settings[f"{CLOUD}voms_json"] = voms
    return settings, ()


def _oneacct(file: Path, root: Path) -> _Read:
    whole = _mapping(_yaml(file))
    told = _mapping(whole.get("production")) or _mapping(whole.get("defaults")) or whole
    # early releases had no section of its own for the records
    apel = _mapping(_mapping(told.get("output")).get("apel")) or told
    service = apel.get("cloud_compute_service")
    settings = {
        **_given({"site": apel.get("site_name")}),
        "accounting.cpu_duration": "wall",
        "accounting.fqan_style": "voms",
        f"{CLOUD}uuid_style": "oneacct",
        **_given({f"{CLOUD}uuid_endpoint": apel.get("endpoint"), f"{CLOUD}uuid_zone": zone(root)}),
        **_given({f"{CLOUD}service": service}),
    }
    return settings, () if service else (_NO_SERVICE,)


def _goat(file: Path, root: Path) -> _Read:
    told = _mapping(_mapping(_yaml(file)).get("vm"))
    service = told.get("cloud-compute-service")
    settings = {
        **_given({"site": told.get("site-name")}),
        "accounting.cpu_duration": "wall",
        "accounting.fqan_style": "voms",
        **_given({f"{CLOUD}service": service}),
    }
    return settings, () if service else (_NO_SERVICE,)


_TOOLS: Tuple[Tuple[str, str, str, str, Callable[[Path, Path], _Read]], ...] = (
    ("cASO", "OpenStack", CONTINUE, "etc/caso/caso.conf", _caso),
    ("oneacct-export", "OpenNebula", CONTINUE, "etc/oneacct-export/conf.yml", _oneacct),
    ("goat", "OpenNebula", BASELINE, "etc/goat-one/goat-one.yml", _goat),
)
_NO_SERVICE = "it sent no CloudComputeService; from the change on there is one, so graphs by service begin anew"


def zone(root: Path) -> Optional[str]:
    """Return the name of this machine's time zone, or None where it is not told."""
    try:
        name = (root / "etc/timezone").read_text("utf-8").strip()
    except (OSError, ValueError):
        try:
            _, _, name = str((root / "etc/localtime").readlink()).partition("zoneinfo/")
        except OSError:
            name = ""
    return name or None


def _given(values: Mapping[str, object]) -> Dict[str, str]:
    return {key: str(value).strip() for key, value in values.items() if isinstance(value, (str, int)) and str(value)}


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _text(file: Path) -> str:
    with file.open("rb") as stream:
        return stream.read(_LARGEST).decode("utf-8", "replace")


def _yaml(file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        raise ValueError("it is not YAML") from error

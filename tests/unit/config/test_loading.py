from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from fedcloud_agent.config.configuration import CloudEntry
from fedcloud_agent.config.faults import FaultyConfigurationError
from fedcloud_agent.config.settings import DirectoriesSettings
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.settings import Secret, When
from fedcloud_agent.site.settings import SiteSettings
from tests.unit.config.rooms import GOOD, Accounting, Steam, faults_of, read, write


def test_a_good_configuration_is_typed_values(tmp_path: Path) -> None:
    configuration = read(write(tmp_path))
    assert configuration.disabled == {}
    assert configuration.room(SiteSettings) == SiteSettings("EXAMPLE-SITE")
    assert configuration.room(DirectoriesSettings).state == Path("/var/lib/fedcloud-agent")
    accounting = configuration.room(Accounting)
    assert accounting.since == 1793491200
    assert accounting.schedule == When(every=3600)
    assert accounting.retry.after == 60
    assert accounting.second is None
    assert accounting.destinations["central"].brokers == ("stomp+ssl://broker.example.org:6162",)
    (main,) = configuration.clouds.values()
    assert isinstance(main, CloudEntry) and (main.name, main.type) == ("main", "steam")
    assert isinstance(main.settings, Steam)
    assert main.settings.auth.password_file == Secret("/etc/steam.secret")
    assert main.settings.vos["ops"].project == "0640"
    assert configuration.cloud("main") == main


def test_no_cloud_of_that_name_says_which_is_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'main'"):
        read(write(tmp_path)).cloud("maim")


def test_fragments_merge_in_the_order_of_their_names(tmp_path: Path) -> None:
    directory = write(
        tmp_path,
        b20="accounting: {limit: 2, destinations: {other: {type: stomp, brokers: ['stomp://b:1']}}}\n",
        a10="accounting: {limit: 1, retry: {after: 5s}}\n",
        c30="accounting:\n  destinations:\n    central:\n      brokers: ['stomp://only:1']\n",
    )
    (directory / "conf.d" / "README").write_text("not: [read")
    (directory / "conf.d" / ".hidden.yaml").write_text("not: [read")
    accounting = read(directory).room(Accounting)
    assert accounting.limit == 2
    assert accounting.retry.after == 5
    assert sorted(accounting.destinations) == ["central", "other"]
    assert accounting.destinations["central"].brokers == ("stomp://only:1",)


def test_a_key_without_a_value_does_not_wipe_out_an_earlier_file(tmp_path: Path) -> None:
    configuration = read(write(tmp_path, a="site:\nclouds:\naccounting: {since:, limit: 1}\n"))
    assert configuration.room(SiteSettings).name == "EXAMPLE-SITE"
    assert list(configuration.clouds) == ["main"]
    assert configuration.room(Accounting).since == 1793491200


def test_shorthand_is_merged_as_the_mapping_that_it_stands_for(tmp_path: Path) -> None:
    assert read(write(tmp_path, a="site: {name: OTHER}\n")).room(SiteSettings).name == "OTHER"
    assert read(write(tmp_path, "site: {name: A}\n", a="site: B\n")).room(SiteSettings).name == "B"


# The mark § stands before the character at which the fault must be reported.
FAULTS = [
    # kind, text, path, part of the sentence
    ("unknown", "§stor: {}\n", "stor", "did you mean 'store'"),
    ("unknown", "accounting: {§limmit: 3}\n", "accounting.limmit", "did you mean 'limit'"),
    ("unknown", "accounting:\n  §zzz: 3\n", "accounting.zzz", "expected one of enabled, since"),
    ("unknown", "site: {name: A, §pass: s3cret}\n", "site.pass", "is no key here"),
    ("missing", "§site:\n", "site.name", "add 'name' here"),
    ("missing", "site: {§name: }\n", "site.name", "needs a value"),
    ("missing", "accounting: {destinations: {§a: {type: stomp}}}\n", "accounting.destinations.a.brokers", "'brokers'"),
    ("missing", "accounting: {destinations: {§a: {}}}\n", "accounting.destinations.a.type", "expected one of stomp"),
    ("value", "accounting: {enabled: §yes}\n", "accounting.enabled", "found 'yes'; expected true or false"),
    ("value", "accounting: {since: §2026-13-01}\n", "accounting.since", "found '2026-13-01'"),
    ("value", "accounting: {schedule: §every 5x}\n", "accounting.schedule", "found 'every 5x'"),
    ("value", 'accounting: {schedule: §"61 * * * *"}\n', "accounting.schedule", "outside 0 to 59"),
    ("value", "accounting:\n  retry:\n    after: §60\n", "accounting.retry.after", "60 has no unit"),
    ("value", "accounting: {retry: {after: §2h}}\n", "accounting.retry.after", "from 1s to 1h"),
    ("value", "accounting: {retry: §7s}\n", "accounting.retry", "expected a mapping of after"),
    ("value", "accounting: §[1]\n", "accounting", "found a list"),
    ("value", "accounting: {limit: §{}}\n", "accounting.limit", "found a mapping"),
    ("value", "accounting: {destinations: §x}\n", "accounting.destinations", "a mapping of names"),
    ("value", "accounting: {destinations: {a: §x}}\n", "accounting.destinations.a", "with the key 'type'"),
    ("value", "accounting: {destinations: {a: {type: §stmp}}}\n", "accounting.destinations.a.type", "mean 'stomp'"),
    (
        "value",
        "accounting: {destinations: {a: {type: stomp, brokers: §[]}}}\n",
        "accounting.destinations.a.brokers",
        "at least 1",
    ),
    (
        "value",
        "accounting:\n  destinations:\n    a:\n      type: stomp\n      brokers:\n      - stomp://a:1\n      - §http://b\n",
        "accounting.destinations.a.brokers.2",
        "found 'http://b'",
    ),
    ("value", "site: §12\n", "site.name", "put it in quotes"),
    ("value", "site: §1.10\n", "site.name", "found 1.10"),
    ("value", "§just text\n", "", "expected a mapping of site"),
    ("value", "directories: {state: §var/lib}\n", "directories.state", "an absolute path"),
    ("value", "store: {password_file: §'hunter 2'}\n", "store.password_file", "found '***'"),
    ("value", "store: {url: §'postgresql://u:hunter2@h/d'}\n", "store.url", "found 'postgresql://u:***@h/d'"),
    ("rule", "store: {url: §'postgresql://h/d?password=hunter2'}\n", "store.url", "by 'password_file'"),
    ("rule", "store: {password_file: §/x}\n", "store.password_file", "only a PostgreSQL"),
    ("duplicate", "site: A\nstore: {}\n§site: B\n", "site", "first in line 1"),
    ("duplicate", "store:\n  url: sqlite:///a\n  §url: sqlite:///b\n", "store.url", "first in line 2"),
    ("syntax", "site: A\nstore:\n§\turl: x\n", "", "a tab"),
    ("syntax", "site: A\n  b§: c\n", "", "not YAML"),
    ("syntax", "site: §!!python/object/apply:os.system ['true']\n", "", "tag"),
    ("syntax", "site: §!secret x\n", "", "tag"),
    ("syntax", "a: &a [1]\nb: §*c\n", "", "undefined alias"),
    ("syntax", "a: &a {x: 1}\nb: {§<<: *a}\n", "", "merge keys"),
    ("syntax", "§? [1, 2]\n: 3\n".replace("§? ", "? §"), "", "a key has to be a word"),
    ("syntax", "a: 1\n§--- \nb: 2\n", "", "not YAML"),
    ("syntax", "a: §&a [*a]\n", "", "levels"),
    ("file", "site: A§\x07\n", "", "U+0007"),
    ("plugin", "clouds: {a: {type: §rusty}}\n", "clouds.a.type", "ImportError: no valve"),
    ("plugin", "clouds: {a: {type: §bursting}}\n", "clouds.a.type", "RuntimeError: the boiler burst"),
    ("plugin", "clouds: {a: {type: §odd}}\n", "clouds.a.type", "'odd' cannot be loaded: its settings are no table"),
    ("value", "clouds: {a: {type: §steem}}\n", "clouds.a.type", "did you mean 'steam'"),
    ("value", "clouds: {§-a: {type: rusty}}\n", "clouds.-a", "a name of letters"),
    ("missing", "clouds:\n  §a:\n    pressure: 1\n", "clouds.a.type", "expected one of bursting"),
]


@pytest.mark.parametrize(("kind", "text", "path", "part"), FAULTS, ids=[f"{f[0]}:{f[2]}:{f[3][:12]}" for f in FAULTS])
def test_a_fault_is_reported_at_its_line_and_column(tmp_path: Path, kind: str, text: str, path: str, part: str) -> None:
    before = text[: text.index("§")]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    # in agent.yaml, and the same in a fragment: the name of the file has to follow
    for directory, name in (
        (write(tmp_path / "main", text.replace("§", "")), "agent.yaml"),
        (write(tmp_path / "fragment", "# empty\n", f=text.replace("§", "")), "conf.d/f.yaml"),
    ):
        found = [f for f in faults_of(directory) if f.kind == kind and ".".join(f.path) == path]
        assert [(f.origin.file, f.origin.line, f.origin.column) for f in found] == [
            (str(directory / name), line, column)
        ], [str(f) for f in faults_of(directory)]
        assert part in str(found[0])
        assert "hunter" not in str(found[0]) and "s3cret" not in str(found[0])


def test_every_fault_is_reported_at_once_and_in_order(tmp_path: Path) -> None:
    directory = write(
        tmp_path, "sitte: A\nstore: {busy_timeout: 1}\nclouds: {a: {type: rusty}}\n", z="directories: {state: x}\n"
    )
    with pytest.raises(FaultyConfigurationError) as caught:
        read(directory)
    assert caught.value.exit_code == 78
    assert [(Path(f.origin.file).name, f.kind, ".".join(f.path)) for f in caught.value.faults] == [
        ("agent.yaml", "missing", "site.name"),
        ("agent.yaml", "unknown", "sitte"),
        ("agent.yaml", "value", "store.busy_timeout"),
        ("agent.yaml", "plugin", "clouds.a.type"),
        ("z.yaml", "value", "directories.state"),
    ]
    for fault in caught.value.faults:
        assert str(fault) in caught.value.message


def test_a_fault_below_a_cloud_disables_that_cloud_alone(tmp_path: Path) -> None:
    text = GOOD.replace(
        "accounting:\n",
        "  bad: {type: steam, presure: 3}\n  rusty: {type: rusty}\n  half:\n    type: steam\n    benchmark: 12.5\n"
        "    auth: {auth_url: 'https://h', password_file: /p}\naccounting:\n",
        1,
    )
    configuration = read(write(tmp_path, text))
    assert list(configuration.clouds) == ["main"]
    assert {name: [f.kind for f in faults] for name, faults in configuration.disabled.items()} == {
        "bad": ["unknown", "missing", "missing"],
        "rusty": ["plugin"],
        "half": ["rule"],
    }
    (half,) = configuration.disabled["half"]
    assert half.path == ("clouds", "half", "benchmark") and "benchmark_type" in half.reason
    with pytest.raises(ConfigurationError, match="disabled by its configuration") as caught:
        configuration.cloud("rusty")
    assert "no valve" in caught.value.message
    assert configuration.type_of("bad") == "steam"


def test_a_fault_of_clouds_itself_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfigurationError):
        read(write(tmp_path, "site: A\nclouds: [a]\n"))
    with pytest.raises(FaultyConfigurationError, match="given twice"):
        read(write(tmp_path, "site: A\nclouds: {}\nclouds: {}\n"))


def test_what_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(str(tmp_path / "none"))):
        read(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(tmp_path / ("x" * 300))
    (fault,) = faults_of(write(tmp_path / "empty", None))
    assert fault.origin.file.endswith("agent.yaml") and "config sample" in fault.reason
    directory = write(tmp_path / "odd", GOOD)
    (directory / "conf.d" / "dir.yaml").mkdir(parents=True)
    os.mkfifo(directory / "conf.d" / "pipe.yaml")
    (directory / "conf.d" / "forgotten.yml").write_text("site: B\n")
    assert [(Path(f.origin.file).name, f.kind) for f in faults_of(directory)] == [
        ("dir.yaml", "file"),
        ("forgotten.yml", "file"),
        ("pipe.yaml", "file"),
    ]


def test_a_file_that_is_no_utf8_is_refused_with_the_place_of_the_byte(tmp_path: Path) -> None:
    directory = write(tmp_path)
    (directory / "agent.yaml").write_bytes("site: A\n# é ".encode() + b"caf\xe9\n")
    (fault,) = faults_of(directory)
    assert (fault.kind, fault.origin.line, fault.origin.column) == ("file", 2, 8)
    assert "0xe9" in fault.reason


def test_bounds_of_size_and_depth_and_aliases(tmp_path: Path) -> None:
    (fault,) = faults_of(write(tmp_path, "#" * (256 * 1024 + 1)))
    assert "larger than 256 KiB" in fault.reason
    (fault,) = faults_of(write(tmp_path, "a: " + "[" * 100_000))
    assert "nested deeper" in fault.reason
    laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for one, two in zip("abcdefgh", "bcdefghi"):
        laughs += f"{two}: &{two} [{', '.join([f'*{one}'] * 10)}]\n"
    (fault,) = faults_of(write(tmp_path, laughs))
    assert "aliases" in fault.reason

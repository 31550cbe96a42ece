"""The units of systemd, as systemd reads them: with their drop-in, and a Python that is there."""

import os
import re
import sys
from collections import defaultdict
from pathlib import Path
from shutil import copytree
from subprocess import CompletedProcess, run

import attrs
import pytest

from shared.settings.installation import Settings
from tests.deploy.test_proxy import BY_ADDRESS
from tests.docs.pages import PROJECT
from tests.end_to_end.proxy import find_program

FOLDER = PROJECT / "deploy/systemd"
HOME = "/opt/genai-backend"
PAIR = ("genai-gateway@.service", "genai-bridge@.service")
SERVICES = (*PAIR, "genai-migrate.service")
UNITS = (
    "genai-gateway@01.service",
    "genai-bridge@01.service",
    "genai-migrate.service",
    "genai-backend.target",
)
UNPACKED = PROJECT / ".tools/systemd-analyze"  # by `make test`, where systemd is not installed
FIELDS = {each.name.upper(): each for each in attrs.fields(Settings) if "read" in each.metadata}
REST_SECONDS = 10  # in which a process that has drained ends
MOST_EXPOSED = 20  # tenths of what `systemd-analyze security` counts; below 50 it says OK
each_service = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as on a machine where the project is in its folder."""
    units = tmp_path / "units"
    copytree(FOLDER, units)
    for path in units.rglob("*.*"):
        if path.is_file():
            text = path.read_text().replace(f"{HOME}/.venv/bin/python", sys.executable)
            path.write_text(text.replace(HOME, str(PROJECT)))
    return units


def analyze(units: Path, *arguments: str) -> CompletedProcess[str]:
    places = [units, UNPACKED / "lib/systemd/system", UNPACKED / "usr/lib/systemd/system", ""]
    return run(
        [find_program("systemd-analyze"), *arguments],
        env={**os.environ, "SYSTEMD_UNIT_PATH": os.pathsep.join(map(str, places))},
        capture_output=True,
        text=True,
        check=False,
    )


def directives(name: str) -> dict[str, list[str]]:
    """What the unit and its drop-in say; a later one stands behind an earlier one."""
    found = defaultdict(list)
    for path in (FOLDER / name, FOLDER / "genai-.service.d/common.conf"):
        for key, value in re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE):
            found[key].append(value)
    return found


def variables(name: str, instance: str) -> dict[str, str]:
    lines = " ".join(directives(name)["Environment"]).replace("%i", instance)
    return dict(each.split("=", 1) for each in lines.split())


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_unit_and_knows_each_word_of_it(unit: str, installed: Path) -> None:
    done = analyze(installed, "verify", "--man=no", unit)
    # Of other units of this machine it may have something to say as well.
    said = [line for line in done.stderr.splitlines() if "genai-" in line]
    assert (done.returncode, said) == (0, [])


def test_a_word_that_systemd_does_not_know_is_noticed(installed: Path) -> None:
    drop_in = installed / "genai-.service.d/common.conf"
    drop_in.write_text(drop_in.read_text() + "\nMemoryMaximum=1G\n")
    done = analyze(installed, "verify", "--man=no", UNITS[0])
    assert "MemoryMaximum" in done.stderr


@each_service
def test_a_process_can_do_little_but_its_work(name: str, installed: Path) -> None:
    done = analyze(
        installed,
        "security",
        "--offline=true",
        f"--threshold={MOST_EXPOSED}",
        "--no-pager",
        str(installed / name),
    )
    assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.parametrize("name", PAIR)
def test_a_service_has_the_time_that_it_needs_to_go_down_in_order(name: str) -> None:
    waits = [float(FIELDS[each].default or 0) for each in ("DRAIN_GRACE", "DRAIN_TIMEOUT")]
    [seconds] = directives(name)["TimeoutStopSec"]
    assert float(seconds) > sum(waits) + REST_SECONDS


@pytest.mark.parametrize("name", PAIR)
def test_a_service_starts_when_the_database_is_up_to_date_and_tries_for_ever(name: str) -> None:
    given = directives(name)
    assert given["ExecStartPre"] == ["+systemctl start genai-migrate.service"]
    assert (given["Restart"], given["StartLimitIntervalSec"]) == (["always"], ["0"])
    # What it waits for has no end of its own either.
    assert given["TimeoutStartSec"] == directives("genai-migrate.service")["TimeoutStartSec"]
    assert "Requires" not in given


@each_service
def test_each_command_is_a_module_of_the_project(name: str) -> None:
    [command] = directives(name)["ExecStart"]
    python, option, module = command.split()
    assert (python, option) == (f"{HOME}/.venv/bin/python", "-m")
    path = PROJECT / module.replace(".", "/")
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()


@pytest.mark.parametrize("name", PAIR)
def test_variables_are_settings_and_no_two_instances_share_a_port(name: str) -> None:
    first, second = variables(name, "01"), variables(name, "02")
    python = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert first.keys() - python <= FIELDS.keys()
    ports = {each for each in first if each.endswith("_PORT")}
    assert ports
    values = [given[each] for given in (first, second) for each in ports]
    assert len(set(values)) == len(values)


def test_gateways_and_bridges_share_no_port() -> None:
    ports = [
        value
        for name in PAIR
        for variable, value in variables(name, "01").items()
        if variable.endswith("_PORT")
    ]
    assert len(set(ports)) == len(ports) == 5


def test_what_an_instance_is_told_wins_over_what_all_are_told() -> None:
    assert directives(PAIR[0])["EnvironmentFile"] == [
        "/etc/genai-backend/environment",
        "-/etc/genai-backend/%N.env",
    ]


def test_the_only_folder_that_can_be_written_to_is_that_of_the_files() -> None:
    given = directives(PAIR[0])
    assert given["ProtectSystem"] == ["strict"]
    assert given["StateDirectory"] == ["genai-backend"]
    folder = variables(PAIR[0], "01")["DEFAULT_FILES_FOLDER_NAME"]
    assert folder.startswith("/var/lib/genai-backend/")
    assert "ReadWritePaths" not in given


def test_the_proxy_leads_to_the_first_two_of_each() -> None:
    expected = set()
    for instance in ("01", "02"):
        gateway, bridge = (variables(name, instance) for name in PAIR)
        door, asked = bridge["AGENTS_PORT"], bridge["BRIDGE_PORT"]
        expected |= {
            f"server gateway-{instance} 127.0.0.1:{gateway['GATEWAY_PORT']}",
            f"server bridge-{instance} 127.0.0.1:{door} port {asked}",
        }
    found = re.findall(r"server \S+ \S+(?: port \d+)?$", BY_ADDRESS.read_text(), re.MULTILINE)
    assert set(found) == expected

"""What `compose.yaml` and the `Dockerfile` promise; `make lint` checks their form."""

import re
import tomllib
from typing import Any

import attrs
import yaml

from shared import VERSION
from shared.settings.installation import Settings
from tests.system import PROJECT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PAIR = ("gateway", "agent_bridge")
REST_SECONDS = 10  # in which a process that has drained ends
# Nobody sees them from outside of a container.
DEFAULTS_STAY = {
    "AGENTS_HOST",
    "BRIDGE_HOST",
    "BRIDGE_PORT",
    "DEFAULT_FILES_FOLDER_NAME",
    "GATEWAY_HOST",
    "GATEWAY_PORT",
    "POSTGRES_DB",
    "POSTGRES_PORT",
}


def test_both_services_get_every_variable_that_can_be_set() -> None:
    names = {field.name.upper() for field in attrs.fields(Settings) if "read" in field.metadata}
    names -= DEFAULTS_STAY
    for service in PAIR:
        assert {name for name in SERVICES[service]["environment"] if "AWS" not in name} == names


def test_all_that_names_the_version_names_this_one() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    for service in (*PAIR, "migrate", "master_agent"):
        assert SERVICES[service]["image"].endswith(f":${{VERSION:-{VERSION}}}")
    assert f"\nARG VERSION={VERSION}\n" in (PROJECT / "Dockerfile").read_text()


def test_a_container_has_the_time_that_it_needs_to_go_down_in_order() -> None:
    fields = attrs.fields(Settings)
    needed = float(fields.drain_grace.default or 0) + float(fields.drain_timeout.default or 0)
    for service in PAIR:
        given = SERVICES[service]["stop_grace_period"]
        assert float(given.removesuffix("s")) > needed + REST_SECONDS > REST_SECONDS


def test_no_secret_has_a_default() -> None:
    secrets = [field for field in attrs.fields(Settings) if "secret" in field.metadata]
    assert len(secrets) > 4
    for service in PAIR:
        environment = SERVICES[service]["environment"]
        for field in secrets:
            name = field.name.upper()
            required = f"${{{name}:?must be set}}"
            is_needed = field.default is attrs.NOTHING or field.metadata["needed"]
            assert environment[name] == (required if is_needed else None)


def test_the_router_never_gets_the_key_of_services() -> None:
    having = {
        name
        for name, service in SERVICES.items()
        if "SERVICE_API_KEY" in service.get("environment", {})
    }
    assert having == {*PAIR, "migrate", "master_agent"}


def test_nothing_can_be_reached_from_outside_but_the_proxy() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def _members(network: str) -> set[str]:
    return {name for name, service in SERVICES.items() if network in service.get("networks", [])}


def test_the_router_is_reached_by_bridges_only() -> None:
    assert SERVICES["router"]["networks"] == ["router"]
    assert _members("router") == {"router", "agent_bridge"}


def test_agents_reach_the_bridges_doors_through_the_proxy_only() -> None:
    assert _members("doors") == {"proxy", "agent_bridge"}
    assert "default" not in SERVICES["agent_bridge"]["networks"]
    door = SERVICES["agent_bridge"]["environment"]["AGENTS_PORT"]
    for name in ("master_agent", "sample_agent"):
        assert SERVICES[name]["environment"]["ROUTER_WS_URL"] == f"ws://proxy:{door}/ws"
        assert "networks" not in SERVICES[name]
    proxy = (PROJECT / "devstack/haproxy.cfg").read_text()
    servers = (PROJECT / "devstack/haproxy-servers.cfg").read_text()
    assert f"presetenv PROXY_DOORS agent_bridge:{door}\n" in servers
    assert f"presetenv PROXY_AGENTS_BIND :{door}\n" in proxy


def test_only_gateways_share_the_network_from_which_they_believe_what_a_proxy_says() -> None:
    assert _members("front") == {"proxy", "gateway"}
    [subnet] = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert SERVICES["gateway"]["environment"]["TRUSTED_PROXIES"] == subnet["subnet"]


def test_the_stores_are_in_a_network_without_a_way_out() -> None:
    assert COMPOSE["networks"]["stores"]["internal"]
    assert all(SERVICES[name]["networks"] == ["stores"] for name in ("postgres", "redis"))


def test_no_process_gains_privileges_and_only_postgresql_writes_outside_of_its_volumes() -> None:
    for service in SERVICES.values():
        assert service["security_opt"] == ["no-new-privileges:true"]
    writing = {name for name, service in SERVICES.items() if not service.get("read_only")}
    assert writing == {"postgres"}


def test_only_the_migration_has_the_password_of_who_owns_the_tables() -> None:
    owner, role = "MIGRATE_POSTGRES_PASSWORD", "POSTGRES_PASSWORD"
    having = [name for name, service in SERVICES.items() if owner in str(service)]
    assert having == ["migrate", "role", "postgres"]
    passwords = {name: SERVICES[name]["environment"][role] for name in (*PAIR, "role")}
    assert set(passwords.values()) == {f"${{{role}:?must be set}}"}
    assert SERVICES["postgres"]["environment"][role] == f"${{{owner}:?must be set}}"


def test_the_services_work_as_the_role_that_is_made_before_the_migration() -> None:
    [role] = {SERVICES[name]["environment"]["POSTGRES_USER"] for name in (*PAIR, "role")}
    migrate = SERVICES["migrate"]
    assert migrate["environment"]["POSTGRES_USER"] == role
    assert migrate["environment"]["MIGRATE_POSTGRES_USER"] != role
    assert migrate["depends_on"] == {"role": {"condition": "service_completed_successfully"}}
    [script] = SERVICES["role"]["configs"]
    assert f"--file={script['target']}" in SERVICES["role"]["command"]
    assert COMPOSE["configs"][script["source"]]["file"] == "devstack/role.sql"


def test_each_command_is_a_module_of_the_project() -> None:
    modules = [
        service["command"][2]
        for service in SERVICES.values()
        if service.get("command", [])[:2] == ["python", "-m"]
    ]
    assert len(modules) == 6
    for module in modules:
        path = PROJECT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def test_what_the_image_is_made_of_is_let_through_to_its_build() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(.*) \S+$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE
    )
    let_through = (PROJECT / ".dockerignore").read_text().split()
    assert {f"!{name}" for line in copied for name in line.split()} <= set(let_through)
    assert let_through[0] == "*"

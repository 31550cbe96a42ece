"""What processes of the chart are given, and what they may do."""

import json

import attrs

from shared.settings.installation import Settings
from tests.deploy.examples import (
    container_of,
    containers,
    each_example,
    each_of_the_pair,
    environment,
    pods,
    rendered,
)
from tests.deploy.helm import CHART, read_example
from tests.docs.pages import PROJECT

REST_SECONDS = 10  # in which a process that has drained ends
OF_AWS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
OF_THE_MIGRATION = {"MIGRATE_POSTGRES_USER", "MIGRATE_POSTGRES_PASSWORD"}
FIELDS = {each.name.upper(): each for each in attrs.fields(Settings) if "read" in each.metadata}
SECRETS = {name for name, field in FIELDS.items() if "secret" in field.metadata}
NEEDED = {n for n in SECRETS if FIELDS[n].default is attrs.NOTHING or FIELDS[n].metadata["needed"]}
# What the chart decides: its ports, and where files are.
ITS_OWN = {
    "AGENTS_PORT",
    "BRIDGE_METRICS_PORT",
    "BRIDGE_PORT",
    "DEFAULT_FILES_FOLDER_NAME",
    "FILES_URL",
    "GATEWAY_METRICS_PORT",
    "GATEWAY_PORT",
}


def test_every_setting_can_be_given_but_secrets_and_what_the_chart_decides() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(schema["properties"]["settings"]["properties"]) == FIELDS.keys() - SECRETS - ITS_OWN


@each_example
def test_every_variable_is_a_setting_or_asked_for(name: str) -> None:
    asked_for = {each["name"] for each in read_example(name).get("extraEnv", [])}
    for container in containers(name):
        names = [each["name"] for each in container["env"]]
        assert len(names) == len(set(names))
        others = asked_for | OF_AWS | OF_THE_MIGRATION | {"ORIGINAL_SECRET_KEY"}
        assert set(names) - others <= FIELDS.keys()


@each_example
def test_secrets_come_from_the_secret_and_those_that_are_needed_must_be_in_it(name: str) -> None:
    example = read_example(name)
    expected = NEEDED | ({"REDIS_URL"} if example.get("redisUrlInSecret") else set())
    if example.get("databaseUrlInSecret"):
        expected = expected - {"POSTGRES_PASSWORD"} | {"DATABASE_URL"}
    for container in containers(name):
        references = {
            each["name"]: each["valueFrom"]["secretKeyRef"]
            for each in container["env"]
            if "valueFrom" in each
        }
        assert references.keys() >= SECRETS
        assert all(each["name"] == "genai-keys" for each in references.values())
        assert all(each["key"] == variable for variable, each in references.items())
        needed = {variable for variable, each in references.items() if not each.get("optional")}
        assert needed - OF_THE_MIGRATION == expected
    assert rendered(name).of("Secret") == []


def test_only_the_migration_is_given_the_key_of_an_original_installation() -> None:
    having = [
        container["name"]
        for container in containers("smallest")
        if "ORIGINAL_SECRET_KEY" in environment(container)
    ]
    assert having == ["migration"]


def test_only_the_migration_is_given_the_owner_of_the_tables() -> None:
    given = {
        container["name"]: OF_THE_MIGRATION & environment(container).keys()
        for container in containers("everything")
    }
    assert given.pop("migration") == OF_THE_MIGRATION
    assert not any(given.values())


def test_the_migration_may_go_around_a_pooler() -> None:
    places = {
        container["name"]: (given["POSTGRES_HOST"], given.get("POSTGRES_PORT"), given["DEBUG"])
        for container in containers("own-claim")
        if (given := environment(container))
    }
    assert places.pop("migration") == ("behind-the-pooler", "5433", "false")
    assert set(places.values()) == {("postgres", None, "false")}


def test_values_reach_the_services_as_these_read_them() -> None:
    given = environment(container_of("own-claim", "gateway"))
    read = {
        name: FIELDS[name].metadata["read"](text)
        for name, text in given.items()
        if text and name in FIELDS
    }
    assert read["MAX_FILE_BYTES"] == 209715200
    assert read["TRUSTED_PROXIES"] == ("10.244.0.0/16", "fd00::/48")
    assert read["DRAIN_TIMEOUT"] == 90.5
    assert read["DRAIN_GRACE"] == 0
    assert read["DEBUG"] is False
    assert environment(container_of("everything", "bridge"))["FILES_BYTES_PER_USER"] == (
        "107374182400"
    )


@each_of_the_pair
@each_example
def test_a_pod_has_the_time_that_it_needs_to_go_down_in_order(name: str, component: str) -> None:
    settings = environment(container_of(name, component))
    waits = [
        float(settings.get(name) or FIELDS[name].default or 0)
        for name in ("DRAIN_GRACE", "DRAIN_TIMEOUT")
    ]
    pod = rendered(name).one("Deployment", component)["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > sum(waits) + REST_SECONDS


@each_of_the_pair
@each_example
def test_ports_are_those_on_which_the_services_listen(name: str, component: str) -> None:
    container = container_of(name, component)
    settings = environment(container)
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    metrics = settings[f"{component.upper()}_METRICS_PORT"]
    if component == "gateway":
        expected = {"http": FIELDS["GATEWAY_PORT"].default}
    else:
        agents = int(settings["AGENTS_PORT"] or 0)
        expected = {"health": FIELDS["BRIDGE_PORT"].default, "agents": agents}
    assert ports == {**expected, "metrics": int(metrics or 0)}


@each_of_the_pair
@each_example
def test_probes_ask_whether_it_lives_and_whether_it_is_ready(name: str, component: str) -> None:
    container = container_of(name, component)
    port = "http" if component == "gateway" else "health"
    asked = {
        each: container[f"{each}Probe"]["httpGet"] for each in ("startup", "liveness", "readiness")
    }
    assert asked == {
        "startup": {"path": "/health", "port": port},
        "liveness": {"path": "/health", "port": port},
        "readiness": {"path": "/ready", "port": port},
    }
    probe = container["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < (FIELDS["DRAIN_GRACE"].default or 0)


@each_example
def test_no_process_is_root_or_writes_outside_of_what_is_named(name: str) -> None:
    for pod in pods(name):
        assert pod["securityContext"]["runAsNonRoot"]
        assert (
            f"--uid {pod['securityContext']['runAsUser']} " in (PROJECT / "Dockerfile").read_text()
        )
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
    for container in containers(name):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@each_example
def test_no_service_of_the_cluster_is_taken_for_a_setting(name: str) -> None:
    assert all(pod["enableServiceLinks"] is False for pod in pods(name))


@each_example
def test_what_is_mounted_is_there(name: str) -> None:
    for pod in pods(name):
        [container] = pod["containers"]
        volumes = {each["name"] for each in pod["volumes"]}
        assert {each["name"] for each in container["volumeMounts"]} == volumes


@each_example
def test_the_database_is_migrated_before_anything_else_is_there(name: str) -> None:
    job = rendered(name).one("Job", "migration")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    # So it can use nothing that the release itself makes.
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in container
    assert not any("configMapKeyRef" in each.get("valueFrom", {}) for each in container["env"])
    given = {each["name"] for each in read_example(name).get("extraVolumes", [])}
    volumes = job["spec"]["template"]["spec"]["volumes"]
    assert {each["name"] for each in volumes} == {"tmp", *given}


@each_example
def test_each_command_is_a_module_of_the_project(name: str) -> None:
    for container in containers(name):
        python, option, module = container["command"]
        assert (python, option) == ("python", "-m")
        path = PROJECT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()

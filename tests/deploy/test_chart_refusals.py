"""Values that make no installation are refused, in words."""

from typing import Any

import pytest

from tests.deploy.helm import RefusedError, read_example, render


def altered(changes: dict[str, Any]) -> dict[str, Any]:
    """Values that are good, with others in their place."""
    values = read_example("own-claim")
    for path, value in changes.items():
        *folders, name = path.split(".")
        place = values
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return values


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"existingSecret": ""}, "existingSecret must name a Secret"),
        ({"settings.POSTGRES_HOST": ""}, "settings.POSTGRES_HOST must be given, or databaseUrl"),
        ({"databaseUrlInSecret": True}, "POSTGRES_HOST and databaseUrlInSecret exclude each other"),
        ({"databaseUrlInSecret": True}, "migration.settings and databaseUrlInSecret exclude each"),
        ({"settings.ROUTER_WS_URL": None}, "settings.ROUTER_WS_URL must be given"),
        ({"settings.REDIS_URL": ""}, "settings.REDIS_URL must be given, or redisUrlInSecret"),
        ({"redisUrlInSecret": True}, "exclude each other"),
        ({"settings.REDIS_URL": "redis://:pw@redis"}, "settings.REDIS_URL has a password"),
        ({"files.claim.size": ""}, "exactly one of files.url, files.existingClaim and"),
        ({"files.url": "s3://bucket"}, "exactly one of files.url, files.existingClaim and"),
        ({"ingress.host": ""}, "ingress.host must be given"),
        ({"settings.TRUSTED_PROXIES": ""}, "settings.TRUSTED_PROXIES must be the addresses"),
        ({"networkPolicy.proxies": []}, "networkPolicy.proxies must say who leads"),
        ({"monitoring.podMonitor.enabled": True}, "networkPolicy.prometheus must say who asks"),
        (
            {"bridge.autoscaling": {"enabled": True, "minReplicas": 9}},
            "bridge.autoscaling.minReplicas is above maxReplicas",
        ),
        (
            {"gateway.autoscaling": {"enabled": True, "cpuPercent": 0}},
            "gateway.autoscaling looks at nothing",
        ),
        ({"settings.SECRET_KEY": "x"}, "at '/settings': additional properties 'SECRET_KEY'"),
        ({"settings.AGENTS_PORT": 1}, "at '/settings': additional properties 'AGENTS_PORT'"),
        ({"settings.ROUTER_LANE": 1}, "at '/settings': additional properties 'ROUTER_LANE'"),
        (
            {"migration.settings.DEBUG": 1},
            "at '/migration/settings': additional properties 'DEBUG'",
        ),
        ({"settings.DEBUG": {"a": 1}}, "at '/settings/DEBUG': got object"),
        ({"gatway.replicas": 3}, "additional properties 'gatway' not allowed"),
        ({"gateway.replicas": 0}, "at '/gateway/replicas': minimum: got 0, want 1"),
        ({"gateway.replicas": "two"}, "at '/gateway/replicas': got string, want integer"),
        ({"files.url": "/srv"}, "at '/files/url': '/srv' does not match pattern"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RefusedError) as refused:
        render(altered(changes))
    assert words in str(refused.value)


def test_a_setting_that_is_emptied_counts_as_not_given() -> None:
    emptied = {"settings.DRAIN_TIMEOUT": None, "settings.DRAIN_GRACE": ""}
    pod = render(altered(emptied)).one("Deployment", "bridge")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 3 + 20 + 15


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(RefusedError) as refused:
        render({})
    faults = [line for line in str(refused.value).splitlines() if line.startswith("- ")]
    assert len(faults) == 6

"""Whatever is sent to any operation, its answer is one of those that the description tells."""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
import schemathesis
from attrs import define, field
from hypothesis import HealthCheck, settings
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ensure_resource_availability,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
)

from gateway.accounts.names import objection_to
from gateway.app import TITLE
from gateway.openapi.description import describe
from gateway.routes import operations
from shared import VERSION
from shared.tokens import issue_user_token
from tests.gateway.members import insert_agent, insert_card, insert_tool
from tests.sql import Sql
from tests.system import System

EXAMPLES = 4
STREAM_SECONDS = 1.0  # that are looked at of one
NOBODY = "http://127.0.0.1:9/mcp"  # in place of URLs that are made up: nobody else is visited
BAD_REQUEST = 400
TAKES_NEW_ID = {"POST /api/agents/register", "POST /api/chats"}
QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
WORKFLOWS = settings(QUIET, max_examples=20, stateful_step_count=12, derandomize=True)
STATEFUL = [use_after_free, ensure_resource_availability]
# Other names of the operations of "/api/llm/": they need not meet each value again.
FURTHER_NAMES = ["/api/llms/.*", "/api/llm/model_config"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# What no JSON schema says: the rule of passwords, which fields go with which grant, and that
# Swagger UI leaves out what an example shows as empty.
SAYS_MORE = {"POST /files", "POST /api/register", "POST /api/login/access-token"}


def _make_config(mode: str) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {
                "deterministic": True,
                "mode": mode,
                "allow-x00": False,  # the description says it of every text at once
                "max-examples": EXAMPLES,
            },
            "phases": {"coverage": {"unexpected-methods": ["TRACE", "PUT"]}},
            "operations": [
                {
                    "include-path-regex": "|".join(FURTHER_NAMES),
                    "phases": {"coverage": {"enabled": False}},
                }
            ],
        }
    )


# A copy: what is filled in may be an example, which belongs to the class that it describes.
DOCUMENT = deepcopy(describe(operations, TITLE, VERSION))
LABELS = [
    f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods
]
good = schemathesis.openapi.from_dict(DOCUMENT, config=_make_config("positive"))


@define
class Owner:
    """A user with something of every kind, for one operation: more he may not have."""

    http: requests.Session
    url: str
    id: str
    sql: Sql
    _made: dict[str, str] = field(factory=dict)
    _turns: Iterator[bool] = field(factory=lambda: cycle([True, True, False]))

    def fill(self, case: Case[Any]) -> None:
        """Put ids that exist in place of others, in two of three cases; what is no id stays."""
        self.make_own(case)
        if not self._made:
            self._made = self._make()
        if not next(self._turns):
            return
        known = self._made
        if "/a2a/" in case.operation.label:
            known = {**known, "agent_id": known["card_id"]}
        for given in (case.path_parameters, case.query):
            for name in given.keys() & known.keys() if isinstance(given, dict) else ():
                if name == "provider_name" or _is_uuid(given[name]):
                    given[name] = known[name]

    def make_own(self, case: Case[Any]) -> None:
        """Visit nobody whose URL was made up, and use no name or id that may be taken."""
        body = case.body if isinstance(case.body, dict) else {}
        if str(body.get("server_url")).startswith("http"):
            body["server_url"] = NOBODY
        if case.operation.label == "POST /api/register" and is_good_name(body.get("username")):
            body["username"] = f"user-{uuid4()}"
        if case.operation.label.endswith("/model/provider") and not body.get("name", True):
            body["name"] = f"provider {uuid4()}"  # one without a name no path can name
        if case.operation.label in TAKES_NEW_ID:
            for name in ("id", "session_id"):
                if _is_uuid(body.get(name)):
                    body[name] = str(uuid4())

    def _make(self) -> dict[str, str]:
        agent = insert_agent(self.sql, self.id)
        tool, card = insert_tool(self.sql, self.id), insert_card(self.sql, self.id)
        self.sql("UPDATE a2acards SET alias = 'card', description = 'd' WHERE id = %s", card["id"])
        [server] = self.sql("SELECT mcp_server_id AS id FROM mcptools WHERE id = %s", tool["id"])
        session_id, name = str(uuid4()), f"provider {uuid4()}"
        self._post("/api/chats", json={"session_id": session_id, "title": "chat"})
        self._post("/api/llm/model/provider", json={"name": name, "api_key": "k", "metadata": {}})
        new = {"name": str(uuid4()), "model": "m", "provider": name}
        [config] = self._post("/api/llm/model/config", json=new)[0]["configs"]
        members = {"name": "flow", "description": "d", "flow": [agent, agent]}
        form = {"files": {"file": ("a.txt", b"hello")}, "data": {"session_id": session_id}}
        return {
            "user_id": self.id,
            "agent_id": agent["id"],
            "card_id": card["id"],
            "server_id": str(server["id"]),
            "session_id": session_id,
            "provider_name": name,
            "model_config_id": config["id"],
            "agentflow_id": self._post("/api/agentflows/register", json=members)["id"],
            "file_id": self._post("/files", **form)["id"],
        }

    def _post(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"{self.url}{path}", timeout=30, **body)
        assert answer.ok, answer.text
        return answer.json()


def make_owner(system: System, sql: Sql) -> Owner:
    """Somebody new."""
    id_ = uuid4()
    sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", id_, f"user-{id_}")
    sql("INSERT INTO userprofiles (id, user_id) VALUES (%s, %s)", uuid4(), id_)
    http = requests.Session()
    http.trust_env = False
    http.headers["Authorization"] = f"Bearer {issue_user_token(system.settings.secret_key, id_)}"
    return Owner(http, system.gateway, str(id_), sql)


@pytest.fixture(scope="module")
def all_operations() -> BaseSchema:
    return schemathesis.openapi.from_dict(DOCUMENT, config=_make_config("all"))


@pytest.fixture
def owner(system: System, sql: Sql) -> Iterator[Owner]:
    owner = make_owner(system, sql)
    with owner.http:
        yield owner


def is_good_name(name: object) -> bool:
    return isinstance(name, str) and objection_to(name) is None


def _is_uuid(value: object) -> bool:
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


def _checks(case: Case[Any]) -> list[Any]:
    """Those that hold of its operation.

    Without credentials, what a service may call answers 400: the contract's choice. And where
    somebody else is asked, that he does not answer is no fault of the gateway's.
    """
    described, excused = case.operation.definition.raw, set[Any]()
    if {"service": []} in described["security"]:
        excused.add(ignored_auth)
    if "502" in described["responses"]:
        excused.add(not_a_server_error)
    return [each for each in (*CHECKS, ignored_auth) if each not in excused]


# Not `parametrize` of the schema, with which every worker that collects the tests would make up
# all requests.
@pytest.mark.parametrize("label", LABELS)
def test_every_answer_is_one_that_is_described(
    label: str, all_operations: BaseSchema, owner: Owner
) -> None:
    [result] = get_all_tests(
        schema=all_operations.exclude(lambda it: it.operation.label != label),
        test_func=_is_answered_as_described,
        settings=QUIET,
        given_kwargs=None,
    )
    assert isinstance(result, Ok)
    _, test = result.ok()
    test(owner=owner)


def _is_answered_as_described(case: Case[Any], owner: Owner) -> None:
    owner.fill(case)
    headers = {"Authorization": owner.http.headers["Authorization"]}
    seconds = STREAM_SECONDS if _is_endless(case) else 30
    response = case.call(owner.url, session=owner.http, headers=headers, timeout=seconds)
    case.validate_response(response, checks=_checks(case), headers=headers)
    if _is_as_described(case) and case.operation.label not in SAYS_MORE:
        assert response.status_code != 422, response.text


def test_what_follows_from_an_answer_is_answered_as_described(system: System, sql: Sql) -> None:
    """Along the links: each operation is called with what another has answered, in any order."""
    current = good.exclude(path_regex="|".join(FURTHER_NAMES))
    workflow: Any = current.as_state_machine()
    followed: Counter[str] = Counter()

    class Workflow(workflow):  # type: ignore[misc]
        def setup(self) -> None:
            self.owner = make_owner(system, sql)

        def before_call(self, case: Case[Any]) -> None:
            self.owner.make_own(case)

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            seconds = STREAM_SECONDS if _is_endless(case) else 30
            return {"base_url": system.gateway, "session": self.owner.http, "timeout": seconds}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            if response.status_code < BAD_REQUEST:
                followed[case.operation.label] += 1
            case.validate_response(response, checks=[*CHECKS, *STATEFUL])

        def teardown(self) -> None:
            self.owner.http.close()

    Workflow.run(settings=WORKFLOWS)
    assert len(followed) > 5, "hardly anything succeeded"


def _is_endless(case: Case[Any]) -> bool:
    """Whether it may be answered by events that go on for as long as one reads."""
    described = case.operation.definition.raw["responses"].values()
    return case.method in {"GET", "HEAD"} and any(
        "text/event-stream" in answer.get("content", {}) for answer in described
    )


def _is_as_described(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE

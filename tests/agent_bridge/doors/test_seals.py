"""What bridges say to each other through the router can be read and said by bridges alone."""

from typing import Any
from uuid import uuid4

import attrs
import pytest

from agent_bridge.doors.frames import Invocation
from agent_bridge.doors.seals import Seals
from agent_bridge.router.frames import Rejection, Reply
from shared.secrets import UndecryptableError, Vault
from shared.settings.bridge import BridgeSettings
from shared.settings.reading import read_settings
from tests.system import make_secrets

REQUEST = str(uuid4())
PAYLOAD = {"message": "hello", "configs": {"api_key": "sk-secret"}}


@pytest.fixture
def settings() -> BridgeSettings:
    return read_settings(make_secrets(), BridgeSettings)


@pytest.fixture
def seals(settings: BridgeSettings) -> Seals:
    return Seals(settings, Vault(settings.encryption_keys))


def _call(payload: object, request_id: str = REQUEST) -> Invocation:
    return Invocation(payload, {"request_id": request_id}, "by")


def test_a_sealed_call_shows_nothing_and_is_opened_by_a_bridge(seals: Seals) -> None:
    sealed = seals.seal(PAYLOAD, REQUEST)
    assert "sk-secret" not in str(sealed)
    opened = seals.open(_call(sealed), by_bridge=True)
    assert (opened.payload, opened.was_sealed) == (PAYLOAD, True)


@pytest.mark.parametrize(
    "request_id", [str(uuid4()), "", "no id"], ids=["another", "none", "no id"]
)
def test_a_seal_is_good_for_its_request_alone(seals: Seals, request_id: str) -> None:
    with pytest.raises(UndecryptableError):
        seals.open(_call(seals.seal(PAYLOAD, REQUEST), request_id), by_bridge=True)


def test_a_seal_of_other_keys_is_none(settings: BridgeSettings, seals: Seals) -> None:
    other = Seals(settings, Vault([bytes(32)]))
    with pytest.raises(UndecryptableError):
        seals.open(_call(other.seal(PAYLOAD, REQUEST)), by_bridge=True)


@pytest.mark.parametrize("payload", [PAYLOAD, {"sealed": "by an agent"}, {"sealed": 7}, None, []])
def test_what_an_agent_calls_with_is_taken_as_it_is(seals: Seals, payload: Any) -> None:
    opened = seals.open(_call(payload), by_bridge=False)
    assert (opened.payload, opened.was_sealed) == (payload, False)


def test_the_answer_to_a_sealed_call_is_sealed(seals: Seals) -> None:
    answer = {"message_type": "agent_response", "response": "secret", "execution_time": 1.5}
    closed = seals.close(answer, REQUEST)
    assert "secret" not in str(closed)
    assert seals.read_answer(closed["response"], REQUEST) == Reply("secret", 1.5)


def test_so_is_an_error(seals: Seals) -> None:
    closed = seals.close({"error": {"error_message": "no"}}, REQUEST)
    assert seals.read_answer(closed["response"], REQUEST) == Rejection("no", 0.0)


@pytest.mark.parametrize("response", ["pong", None, {"sealed": "x"}, {"sealed": 7}, {}])
def test_an_answer_that_no_bridge_has_sealed_is_none(seals: Seals, response: Any) -> None:
    assert seals.read_answer(response, REQUEST) is None


def test_a_call_is_no_answer(seals: Seals) -> None:
    assert seals.read_answer(seals.seal(PAYLOAD, REQUEST), REQUEST) is None


def test_only_a_bridge_can_answer_a_knock(settings: BridgeSettings, seals: Seals) -> None:
    proof = seals.prove("agent", "nonce")
    assert seals.is_proof("agent", "nonce", proof)
    assert not seals.is_proof("agent", "another nonce", proof)
    assert not seals.is_proof("another agent", "nonce", proof)
    assert not seals.is_proof("agent", "nonce", None)
    other = attrs.evolve(settings, secret_key="another secret key of 32 bytes or more")
    stranger = Seals(other, Vault(other.encryption_keys))
    assert not seals.is_proof("agent", "nonce", stranger.prove("agent", "nonce"))


def test_only_a_bridge_can_knock(settings: BridgeSettings, seals: Seals) -> None:
    """Else anybody could have a door prove what he is asked himself."""
    asked = seals.ask("agent", "nonce")
    assert seals.is_asked("agent", "nonce", asked)
    assert not seals.is_asked("agent", "another nonce", asked)
    assert not seals.is_asked("another agent", "nonce", asked)
    assert not seals.is_asked("agent", "nonce", seals.prove("agent", "nonce"))
    assert not seals.is_asked("agent", "nonce", "ž")
    assert not seals.is_proof("agent", "nonce", asked)
    other = attrs.evolve(settings, secret_key="another secret key of 32 bytes or more")
    assert not seals.is_asked(
        "agent", "nonce", Seals(other, Vault([bytes(32)])).ask("agent", "nonce")
    )


@pytest.mark.parametrize(
    "text", ["", "x", "00000000.AAAA", "ž", "\ud800".encode(errors="replace").decode()]
)
def test_garbage_in_place_of_a_seal_is_none(seals: Seals, text: str) -> None:
    with pytest.raises(UndecryptableError):
        seals.open(_call({"sealed": text}), by_bridge=True)
    assert seals.read_answer({"sealed": text}, REQUEST) is None

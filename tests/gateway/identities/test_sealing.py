"""What browsers keep and bring back: for how long it is good, and for what."""

import os
import time
from uuid import UUID, uuid4

import pytest
from attrs import evolve

from gateway.identities.sealing import CODE_SECONDS, Flow, Proof, seal, unseal
from shared.secrets import Vault

PLACE = UUID(int=0)
PROOF = Proof(
    id=uuid4(),
    provider="acme",
    issuer="https://id.example.com",
    subject="ada",
    sid=None,
    name="Ada",
    email=None,
    is_admin=None,
    redirect_uri="https://chat.example.com/",
    challenge="x" * 43,
    offline=False,
    expires_at=0,
)


@pytest.fixture
def proof() -> Proof:
    """One that is good now."""
    return evolve(PROOF, expires_at=int(time.time()) + CODE_SECONDS)


def test_what_is_sealed_is_good_for_its_time_its_place_and_its_kind(proof: Proof) -> None:
    vault = Vault([os.urandom(32)])
    code = seal(vault, proof, PLACE)
    assert unseal(vault, code, Proof, PLACE) == proof
    assert unseal(vault, code, Proof, uuid4()) is None
    assert unseal(vault, code, Flow, PLACE) is None
    over = evolve(proof, expires_at=int(time.time()))
    assert unseal(vault, seal(vault, over, PLACE), Proof, PLACE) is None
    assert CODE_SECONDS <= 60


def test_a_code_has_several_spellings_and_one_id(proof: Proof) -> None:
    vault = Vault([os.urandom(32)])
    code = seal(vault, proof, PLACE)
    spelt = code.replace("-", "+").replace("_", "/")
    assert spelt != code
    opened = unseal(vault, spelt, Proof, PLACE)
    assert opened is not None
    assert opened.id == proof.id

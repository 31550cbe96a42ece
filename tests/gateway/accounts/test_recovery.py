"""What an account is got back by."""

import attrs

from gateway.accounts.changes import AskedReset, PasswordReset
from gateway.accounts.schemas import NewUser, ProfileChanges


def test_nothing_is_asked_that_others_could_know() -> None:
    asked = [
        {each.name for each in attrs.fields(body)}
        for body in (NewUser, ProfileChanges, AskedReset, PasswordReset)
    ]
    assert asked == [
        {"username", "password"},
        {"first_name", "last_name"},
        {"email"},
        {"token", "new_password"},
    ]

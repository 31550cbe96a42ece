"""The matrix of accounts: passwords, sign-ins, API keys, and who users are elsewhere."""

from tests.gateway.ownership.entry import MAKES, OTHERS, SAME, TAKEN, UNKNOWN, Entry

USER = {"username": "{marker}", "password": "Passw0rd!"}
CHANGE = {"old_password": "{new}", "new_password": "Passw0rd!"}
NO_TOKEN = "This link is not valid, was used before, or is too old. Please ask for another one"
# Nobody here has a password or was sent a link, and no mail is sent.
PASSWORDS = [
    Entry(
        "POST /api/me/password",
        SAME,
        400,
        says="The old password is not the right one",
        json=CHANGE,
    ),
    Entry(
        "POST /api/password-reset",
        SAME,
        400,
        says=NO_TOKEN,
        json={"token": "{new}", "new_password": "Passw0rd!"},
    ),
    Entry(
        "POST /api/password-reset/mail",
        SAME,
        400,
        says="This installation sends no mail. Please ask an administrator",
        json={"email": "{marker}@example.com"},
    ),
    Entry("POST /api/users/{user_id}/password-reset", UNKNOWN),
    Entry(
        "POST /api/me/confirmation",
        SAME,
        400,
        says="The password is not the right one",
        json={"password": "{new}"},
    ),
    Entry("GET /api/me/email", OTHERS),
    Entry("POST /api/me/email", MAKES, json={"email": None}),
    Entry(
        "POST /api/email-verification",
        SAME,
        400,
        says=NO_TOKEN,
        json={"token": "{new}", "password": "{new}"},
    ),
]
NO_ZIP = "This is no ZIP that an export has made: File is not a zip file"
# Nobody here has a password, by which it could be refused who may: what is sent is no body.
LEAVING = [
    Entry("POST /api/me/deletion", SAME, 400, json={"password": ["{new}"]}),
    Entry("GET /api/me/export", OTHERS, for_member=200),
    Entry("POST /api/me/import", SAME, 400, says=NO_ZIP, file=True),
]
NO_PROFILE = "Profile with of user with id '{user_id}' was not found"
CODE = {"code": "x", "code_verifier": "x" * 43}
OIDC = "/api/login/oidc/{provider}"
NO_KEY = "You have no API key with id '{key_id}'"
ACCOUNTS = [
    Entry("POST /api/register", TAKEN, says="User '{marker}' already exists", json=USER),
    Entry(
        "POST /api/login/access-token",
        UNKNOWN,
        says="Incorrect username or password",
        form=USER,
    ),
    Entry("POST /api/validate-token", SAME, json={"token": "{agent_token}"}),
    Entry("GET /api/profiles/{user_id}", UNKNOWN, says=NO_PROFILE),
    Entry("PATCH /api/profiles/{user_id}", UNKNOWN, says=NO_PROFILE, json={"first_name": "{new}"}),
    Entry("POST /api/logout", SAME, 204),
    Entry("GET /api/sessions/sign-ins", OTHERS),
    Entry(
        "DELETE /api/sessions/sign-ins/{sign_in_id}",
        UNKNOWN,
        204,
        says="You have no sign-in with id '{sign_in_id}'",
    ),
    Entry("DELETE /api/sessions/sign-ins", MAKES),
    Entry("GET /api/login/providers", SAME),
    Entry("POST /api/login/oidc/token", SAME, 400, form=CODE),
    Entry(
        "GET /api/login/oidc/{provider}",
        SAME,
        400,
        path="/api/login/oidc/none",
        query={"redirect_uri": "https://chat.example.com/", "code_challenge": "x" * 43},
    ),
    *(
        Entry(f"GET {OIDC}/{place}", SAME, 400, path=f"{OIDC}/{place}".format(provider="none"))
        for place in ("callback", "logout")
    ),
    Entry(
        f"POST {OIDC}/backchannel-logout",
        SAME,
        400,
        path=f"{OIDC}/backchannel-logout".format(provider="none"),
        form={"logout_token": "x"},
    ),
    Entry(
        "POST /api/email-verification/oidc",
        SAME,
        400,
        says=NO_TOKEN,
        json={"token": "{new}", **CODE},
    ),
    Entry("GET /api/me/identities", OTHERS),
    Entry("POST /api/me/identities", SAME, 400, json=CODE),
    Entry(
        "DELETE /api/me/identities/{identity_id}",
        UNKNOWN,
        204,
        says="You have no identity with id '{identity_id}'",
    ),
    Entry("POST /api/keys", MAKES, json={"name": "{new}", "scopes": ["read"]}),
    Entry("GET /api/keys", OTHERS),
    Entry("PATCH /api/keys/{key_id}", UNKNOWN, says=NO_KEY, json={"name": "{new}"}),
    Entry("DELETE /api/keys/{key_id}", UNKNOWN, 204, says=NO_KEY),
    *PASSWORDS,
    *LEAVING,
    Entry("GET /api/audit", UNKNOWN, query={"object_id": "{provider_id}"}),
]

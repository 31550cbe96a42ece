"""The matrix of groups, of what is shared with them, and of what administrators do with users."""

from tests.gateway.ownership.entry import EMPTY, MAKES, NOBODYS, OTHERS, SAME, UNKNOWN, Entry

GROUP = "/api/groups/{group_id}"
NO_GROUP = "Group with id '{group_id}' does not exist"
GROUPS = [
    Entry("POST /api/groups", MAKES, json={"name": "{new}"}),
    Entry("GET /api/groups", OTHERS, for_member=200),
    Entry(f"GET {GROUP}", UNKNOWN, says=NO_GROUP, for_member=200),
    Entry(f"PATCH {GROUP}", UNKNOWN, says=NO_GROUP, json={"name": "{new}"}),
    Entry(f"DELETE {GROUP}", UNKNOWN, 204, says=NO_GROUP),
    Entry(f"GET {GROUP}/members", UNKNOWN, says=NO_GROUP, for_member=200),
    Entry(f"POST {GROUP}/members", UNKNOWN, says=NO_GROUP, json={"username": "{invited}"}),
    Entry(
        f"PATCH {GROUP}/members/{{user_id}}",
        UNKNOWN,
        400,  # he is its last manager
        says=NO_GROUP,
        json={"role": "member"},
    ),
    Entry(f"DELETE {GROUP}/members/{{user_id}}", UNKNOWN, 204, says=NO_GROUP),
    Entry(
        f"POST {GROUP}/membership",
        UNKNOWN,
        400,  # he is in it
        says="You are not invited to a group with id '{group_id}'",
    ),
    Entry(f"GET {GROUP}/shares", EMPTY, for_member=200),
    Entry(
        f"POST {GROUP}/shares",
        UNKNOWN,
        400,  # it is shared
        says=NO_GROUP,
        json={"kind": "agent", "id": "{agent_id}"},
    ),
    Entry(
        f"POST {GROUP}/shares",
        UNKNOWN,
        400,
        "with my group",
        "You have no agent with id '{agent_id}'",
        path="/api/groups/{my_group_id}/shares",
        json={"kind": "agent", "id": "{agent_id}"},
    ),
    Entry(
        f"DELETE {GROUP}/shares/{{share_id}}",
        UNKNOWN,
        204,
        says="You have shared nothing with id '{share_id}' with this group",
    ),
    Entry("GET /api/shares", SAME, for_member=200),
    Entry(f"DELETE {GROUP}/membership", UNKNOWN, 204, says=NO_GROUP, for_member=204),
]
LISTED = (
    *("/api/agents", "/api/agents/frontend", "/api/agentflows", "/api/mcp/servers"),
    *("/api/a2a/agents", "/api/llm/model/configs", "/api/llms/model/configs"),
)
SHARED = [
    *(
        Entry(f"GET {path}", SAME, note="shared", for_member=200, query={"shared": "true"})
        for path in LISTED
    ),
    Entry(
        "GET /api/agents/active", OTHERS, note="shared", for_member=200, query={"shared": "true"}
    ),
]
USERS = [
    Entry("GET /api/users", UNKNOWN, query={"search": "{marker}"}),
    Entry("GET /api/users/{user_id}", UNKNOWN),
    Entry("PATCH /api/users/{user_id}", UNKNOWN, json={"locked": True}),
    Entry("DELETE /api/users/{user_id}", UNKNOWN, 202),
    Entry("GET /api/account-deletions", UNKNOWN, query={"limit": "1000"}),
    Entry("GET /api/account-deletions/{user_id}", UNKNOWN),
    Entry("GET /api/parts", NOBODYS),
    Entry("GET /api/users/{user_id}/sign-ins", UNKNOWN),
    Entry("DELETE /api/users/{user_id}/sign-ins", UNKNOWN),
    Entry("DELETE /api/users/{user_id}/sign-ins/{sign_in_id}", UNKNOWN, 204),
    Entry("GET /api/users/{user_id}/keys", UNKNOWN),
    Entry("DELETE /api/users/{user_id}/keys/{key_id}", UNKNOWN, 204),
    Entry("GET /api/admin/requests", UNKNOWN, query={"user_id": "{user_id}"}),
    Entry(
        "POST /api/admin/requests/{request_id}/cancel",
        UNKNOWN,
        path="/api/admin/requests/{running_id}/cancel",
    ),
    Entry("GET /api/admin/agents", UNKNOWN, query={"user_id": "{user_id}"}),
]
SHARING = [*GROUPS, *SHARED, *USERS]

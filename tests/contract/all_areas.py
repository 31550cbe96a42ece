"""The areas of the REST API, with the recorded ids of their users and agents."""

from tests.contract import scenes, strangers
from tests.contract.areas import Area
from tests.contract.intended.accounts import PROFILES, USERS
from tests.contract.intended.agents import AGENTS, FLOWS
from tests.contract.intended.chats import CHATS, FILES, LOGS
from tests.contract.intended.llms import LLM
from tests.contract.intended.strangers import A2A, MCP

_AREAS = [
    Area(
        "users",
        {},
        agents={"c2c89ef0-be88-41d6-be5d-2528a8ff8657": "<token:A>"},
        differences=USERS,
        prepare=scenes.users,
    ),
    Area(
        "profiles",
        {
            "A": "7132a457-7577-41da-9ea8-933b712bcbfd",
            "B": "7606d265-979d-4b22-b28c-a7e30f273085",
        },
        differences=PROFILES,
    ),
    Area(
        "agents",
        {
            "A": "9c659548-69fa-40bf-8c13-3a1e098dd6dc",
            "B": "6b581b70-9044-4aed-a7ce-edda30cd8c54",
        },
        agents={
            "0cb7ae8d-d5fd-4470-8b6b-15ce35cdabec": "<token:agent X>",
            "f4567c25-fa59-430b-9c27-3837fdcaf989": "<token:agent Y>",
        },
        differences=AGENTS,
        prepare=scenes.agents,
    ),
    Area("chats", {"A": "b90e1743-770d-4b59-9135-af9e61e92133", "B": ""}, differences=CHATS),
    Area(
        "files",
        {"A": "11d5f560-0e21-40d6-8e03-e36d37ca6646", "B": ""},
        differences=FILES,
        prepare=scenes.files,
    ),
    Area(
        "logs",
        {"A": "97a01264-1f69-4de6-afdd-305530699489", "B": ""},
        differences=LOGS,
        prepare=scenes.logs,
    ),
    Area("llm", {"A": "45bdc1ee-cc58-4dc8-933c-b1d81b4bff3c", "B": ""}, differences=LLM),
    Area(
        "mcp",
        {
            "A": "e65cd2a7-2daa-4023-b463-6be7670a4e82",
            "B": "6da791d7-de0b-42c3-aafd-59d02ed8b3a4",
        },
        differences=MCP,
        prepare=strangers.mcp,
    ),
    Area(
        "a2a",
        {"A": "59d928b7-0548-416b-8818-2f53cc8d180f", "B": ""},
        differences=A2A,
        prepare=strangers.a2a,
    ),
    Area(
        "flows",
        {"A": "75d05d66-19b5-4a4a-9c2f-dd449ff742b2", "B": ""},
        differences=FLOWS,
        prepare=scenes.flows,
    ),
]
AREAS = {area.name: area for area in _AREAS}

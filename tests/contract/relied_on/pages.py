"""The pages but the chat: signing up, models, agents, flows, MCP and A2A."""

from urllib.parse import urlencode

from websockets.asyncio.client import connect

from tests.contract.relied_on.browser import ORIGIN, Browser, is_sentence, relies
from tests.contract.strangers import CARD, make_tools
from tests.gateway.outsiders import answering, running, serving
from tests.users import PASSWORD


@relies("CONTENT-LENGTH")
async def check_lengths(browser: Browser) -> None:
    for path in ("/api/chats", "/api/agents/", "/api/agentflows/", "/api/llm/model/configs"):
        await browser.get(path)


@relies("CORS")
async def check_cors(browser: Browser) -> None:
    headers = {"Origin": ORIGIN}
    for path, status in (("/api/chats", 401), ("/api/chat", 400), ("/api/nothing", 404)):
        got = await browser.visitor.get(path, headers=headers, params={"session_id": "x"})
        assert (got.status_code, got.headers["access-control-allow-origin"]) == (status, "*")
    wrong = await browser.user.http.post("/api/register", json={}, headers=headers)
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (422, "*")
    query = urlencode({"token": browser.user.token})
    async with connect(f"{browser.user.socket_url}?{query}", origin=ORIGIN):  # type: ignore[arg-type]
        pass


@relies("PATHS as called")
async def check_paths(browser: Browser) -> None:
    for path in (
        "/api/agents/",
        "/api/agentflows/",
        "/api/chats",
        "/api/agents/active",
        "/api/llm/model/prompt",
        "/api/llm/model/configs",
        "/api/mcp/servers",
        "/api/a2a/agents",
    ):
        await browser.get(path)


@relies("ERRORS: shows body.detail")
async def check_sentences(browser: Browser) -> None:
    for special in ',.?":|<>':
        new = {"username": browser.user.name, "password": f"Abcdefg1{special}"}
        await is_sentence(await browser.visitor.post("/api/register", json=new))
    agent = await browser.user.register_agent("away", "not connected")
    flow = {"name": "f", "description": "d", "flow": [{"id": agent["id"]}, {"id": agent["id"]}]}
    refused = await browser.user.http.post("/api/agentflows/register", json=flow)
    await is_sentence(refused)
    assert agent["id"] in refused.json()["detail"]


@relies("ERRORS, body")
async def check_bodies_of_errors(browser: Browser) -> None:
    await is_sentence(await browser.user.http.get("/api/nothing"), 404)
    await is_sentence(await browser.user.http.put("/api/chats"), 405)


@relies("401 AND 403")
async def check_who_is_logged_out(browser: Browser) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for path in (f"/api/agentflows/{nobody}", f"/files/{nobody}", f"/files/{nobody}/metadata"):
        await is_sentence(await browser.user.http.get(path))
    wrong = {"username": browser.user.name, "password": "Wrong1!xx"}
    await is_sentence(await browser.visitor.post("/api/login/access-token", data=wrong))
    headers = {"Authorization": "Bearer dead"}
    await is_sentence(await browser.visitor.get("/api/chats", headers=headers), 401)


@relies("LOGIN")
async def check_login(browser: Browser) -> None:
    form = {"grant_type": "password", "username": browser.user.name, "password": PASSWORD}
    got = (await browser.visitor.post("/api/login/access-token", data=form)).json()
    assert (got["token_type"], got["refresh_token"]) == ("Bearer", None)
    assert isinstance(got["access_token"], str)


@relies("MODELS")
async def check_models(browser: Browser) -> None:
    for provider in await browser.get("/api/llm/model/configs"):
        assert isinstance(provider["configs"], list)
        assert isinstance(provider["metadata"], dict)


@relies("PROVIDER")
async def check_providers(browser: Browser) -> None:
    azure = {"name": "azure openai", "api_key": "k", "metadata": {"endpoint": "e", "model": "m"}}
    made = await browser.say("/api/llm/model/provider", azure)
    [listed, *_] = await browser.get("/api/llm/model/configs")
    assert made["api_key"] == listed["api_key"]
    shown = {"api_key": made["api_key"], "metadata": made["metadata"]}
    path = "/api/llm/model/providers/azure%20openai"
    assert (await browser.say(path, shown, "PATCH"))["metadata"] == azure["metadata"]
    ollama = {"name": "ollama", "api_key": "", "metadata": {"base_url": "u"}}
    assert (await browser.say("/api/llm/model/provider", ollama))["api_key"] is None


@relies("MODEL CONFIG")
async def check_configs(browser: Browser) -> None:
    prompt = (await browser.get("/api/llm/model/prompt"))["system_prompt"]
    new = {
        "name": "m1",
        "model": "gpt",
        "system_prompt": prompt,
        "temperature": "1.3",
        "user_prompt": "",
        "max_last_messages": 5,
        "credentials": {},
    }
    provider = {"provider": "provider of config"}
    await browser.say("/api/llm/model/config", {**new, **provider})
    taken = await browser.user.http.post("/api/llm/model/config", json={**new, **provider})
    await is_sentence(taken)
    [[config]] = [
        [one for one in each["configs"] if one["name"] == "m1"]
        for each in await browser.get("/api/llm/model/configs")
        if each["provider"] == "provider of config"
    ]
    flat = await browser.say(f"/api/llm/model/config/{config['id']}", new, "PATCH")
    assert (flat["id"], flat["name"], flat["temperature"]) == (config["id"], "m1", 1.3)


@relies("AGENTS")
async def check_agents(browser: Browser) -> None:
    new = {"name": "", "description": "", "input_parameters": {"additionalProp1": {}}}
    made = await browser.say("/api/agents/register", {**new, "is_active": False})
    assert made["jwt"]
    listed = await browser.get("/api/agents/")
    assert isinstance(listed, list)
    assert made["id"] not in [one["agent_id"] for one in listed]


@relies("ACTIVE CONNECTIONS")
async def check_connections(browser: Browser) -> None:
    async with running(make_tools()) as [app], serving(app) as server:
        await browser.say("/api/mcp/servers", {"server_url": f"{server.url}/mcp"})
        found = await browser.get("/api/agents/active", agent_type="all")
    connections = [one for one in found["active_connections"] if one["url"].startswith(server.url)]
    assert [one["name"][:-7] for one in connections] == ["test_tool", "add numbers", "no_args"]
    for one in connections:
        assert isinstance(one["agent_schema"], dict)
        assert isinstance(one["agent_schema"]["description"], str)
        assert (one["type"], one["is_active"]) == ("mcp", True)


@relies("FLOWS")
async def check_flows(browser: Browser) -> None:
    async with running(make_tools()) as [app], serving(app) as server:
        await browser.say("/api/mcp/servers", {"server_url": f"{server.url}/mcp"})
    found = (await browser.get("/api/agents/active", agent_type="mcp"))["active_connections"]
    members = [{"id": one["id"], "type": "mcp"} for one in found[:2]]
    flow = {"name": "Journey Flow 1", "description": "d", "flow": members}
    made = await browser.say("/api/agentflows/register", flow)
    read = await browser.get(f"/api/agentflows/{made['id']}")
    assert [one["id"] for one in read["flow"]] == [one["id"] for one in members]
    again = {**flow, "name": read["name"].replace("_", " ")}
    saved = await browser.say(f"/api/agentflows/{made['id']}", again, "PATCH")
    assert (saved["name"], saved["alias"]) == (made["name"], made["alias"])


@relies("MCP")
async def check_servers(browser: Browser) -> None:
    bare = {key: value for key, value in CARD.items() if key in {"name", "description", "url"}}
    async with serving(answering(bare)) as server:
        added = await browser.say("/api/a2a/agents", {"server_url": server.url})
    [listed] = [one for one in await browser.get("/api/a2a/agents") if one["id"] == added["id"]]
    for name in ("skills", "defaultInputModes", "defaultOutputModes"):
        assert listed["card_content"][name] == []
    dead = {"server_url": "http://127.0.0.1:9"}
    await is_sentence(await browser.user.http.post("/api/a2a/agents", json=dead))
    await is_sentence(await browser.user.http.post("/api/mcp/servers", json=dead))
    for one in await browser.get("/api/mcp/servers"):
        assert isinstance(one["mcp_tools"], list)

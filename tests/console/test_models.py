"""Providers and models at the console."""

import re

from playwright.async_api import expect

from tests.console.people import OpenConsole
from tests.gateway.outsiders import answering, serving
from tests.system import System
from tests.users import User, register_user


async def test_a_provider_and_a_model_are_set_up(open_console: OpenConsole, system: System) -> None:
    async with register_user(system.gateway) as owner, open_console(owner, "models") as person:
        await person.click("New provider")
        await person.fill("Provider", "openai")
        await person.click("Save")
        key = person.page.get_by_label("Key", exact=True)
        await expect(key).to_have_accessible_description(re.compile("This provider wants a key."))
        await person.fill("Key", "sk-0123456789")
        await person.click("Add one")
        await person.fill("Options: name 1", "base_url")
        await person.fill("Options: value 1", "http://127.0.0.1:9/v1")
        await person.click("Save")
        await person.see("has a key")
        assert "sk-0123456789" not in await person.page.content()

        await person.click("New model")
        await person.fill("Name", "quick")
        await person.fill("Model", "gpt-4o-mini")
        await person.fill("Temperature", "warm")
        await person.click("Save")
        temperature = person.page.get_by_label("Temperature")
        await expect(temperature).to_have_accessible_description(re.compile("This is no number."))
        await person.fill("Temperature", "0.2")
        await person.fill("Messages that go along", "30")
        await person.click("Save")
        messages = person.page.get_by_label("Messages that go along")
        await expect(messages).to_have_accessible_description(re.compile("≤ 20"))
        person.forgive(400)
        await person.fill("Messages that go along", "3")
        await person.click("Save")
        await person.see("gpt-4o-mini · temperature 0.2 · 3 messages before")

        [provider] = (await owner.http.get("/api/llm/model/configs")).json()
        assert provider["metadata"] == {"base_url": "http://127.0.0.1:9/v1"}
        assert "capable assistant" in provider["configs"][0]["system_prompt"]


async def test_a_model_is_changed_and_deleted(open_console: OpenConsole, user: User) -> None:
    async with open_console(user, "models") as person:
        await person.click("Change “config”")
        await person.page.get_by_text("The usual system prompt").click()
        await person.click("Begin with it")
        prompt = person.page.get_by_label("System prompt", exact=True)
        await expect(prompt).to_have_value(re.compile("capable assistant"))
        await person.fill("System prompt", "Be brief.")
        await person.fill("Name", "brief")
        await person.click("Save")
        await person.click("Delete “brief”?")
        [provider] = (await user.http.get("/api/llm/model/configs")).json()
        assert provider["configs"][0]["system_prompt"] == "Be brief."
        await person.confirm("Delete")
        await person.see("No model of it is set up yet.")


async def test_a_model_is_tried(open_console: OpenConsole, system: System) -> None:
    listed = answering({"data": [{"id": "gpt-4o-mini"}]})
    async with serving(listed) as outsider, register_user(system.gateway) as owner:
        provider = {"name": "openai", "api_key": "sk-1", "metadata": {"base_url": outsider.url}}
        await owner.http.post("/api/llm/model/provider", json=provider)
        config = {"name": "quick", "model": "gpt-4o-mini", "provider": "openai"}
        await owner.http.post("/api/llm/model/config", json=config)
        async with open_console(owner, "models") as person:
            await person.click("Try it")
            await person.see("The provider takes the key, and lists the model")
            outsider.app = answering({}, 401)
            await person.click("Try it")
            await person.see("The provider does not take the key")

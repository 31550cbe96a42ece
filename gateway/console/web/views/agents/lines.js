// The lines that one pastes to connect an agent, by the generation of the library `genai-protocol`.
const PORT = 8090; // where a bridge's door is, unless something else was said

const FUNCTION = `@session.bind(name="dice", description="Rolls a die with any number of sides")
async def roll(agent_context, sides: int = 6):
    agent_context.logger.info(f"Rolling a die with {sides} sides")
    return f"You rolled {random.randint(1, sides)} of {sides}."


asyncio.run(session.process_events())
`;

// {generation: [[title, lines], …]}: to install it, to write it and to start it.
export function lines(root, { jwt, connects_to }) {
  const start = `export BACKEND_API_BASE_URL=${quoted(root)}
export ROUTER_WS_URL=${quoted(connects_to ?? guessed(root))}
export AGENT_JWT_TOKEN=${quoted(jwt)}
my_agent/bin/python my_agent/agent.py
`;
  const install = (versions) => `python3 -m venv my_agent && my_agent/bin/pip install "genai-protocol${versions}"\n`;
  return {
    2: [["install", install(">=2.0.3,<2.1")], ["write", `import asyncio
import random
from genai_session.session import GenAISession

session = GenAISession()


${FUNCTION}`], ["start", start]],
    1: [["install", install(">=1.0.9,<1.1")], ["write", `import asyncio
import random
from os import environ as env
from genai_session.session import GenAISession

session = GenAISession(env["ROUTER_WS_URL"], env["BACKEND_API_BASE_URL"], env["AGENT_JWT_TOKEN"])


${FUNCTION}`], ["start", start]],
  };
}

function guessed(root) {
  const { protocol, hostname } = new URL(root);
  return `${protocol === "https:" ? "wss" : "ws"}://${hostname}:${PORT}/ws`;
}

const quoted = (text) => (/^[\w:/.@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

# One image for both services and the migrations: `python -m gateway`, `python -m agent_bridge`,
# `python -m shared.migrate`.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /build
COPY pyproject.toml requirements.lock ./
# What the services need of what is locked, and for traces, without the tools and the local stack.
RUN uv venv /venv && uv pip install --python /venv/bin/python --constraint requirements.lock --extra tracing -r pyproject.toml

FROM python:3.12-slim
RUN useradd --system --no-create-home genai
COPY --from=build /venv /venv
WORKDIR /srv
COPY gateway gateway
COPY agent_bridge agent_bridge
COPY shared shared
COPY migrations migrations
RUN install --directory --owner genai files
USER genai
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
CMD ["python", "-m", "gateway"]

# One image for both services and the migrations: `python -m gateway`, `python -m agent_bridge`,
# `python -m shared.upgrade.migrate`. The target `demo` adds the router, the master agent and the sample agent.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir "uv~=0.13.9"
WORKDIR /build
COPY pyproject.toml requirements.lock ./
# What is needed of what is locked, and for traces; each file is compared with its hash.
ENV UV_REQUIRE_HASHES=1 UV_CONSTRAINT=requirements.lock UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
RUN uv venv /venv && uv pip install --python /venv/bin/python -r pyproject.toml --extra tracing

FROM build AS build-demo
RUN uv pip install --python /venv/bin/python -r pyproject.toml --group demo

FROM python:3.12-slim AS base
RUN useradd --system --uid 10001 --no-create-home genai
WORKDIR /srv
RUN install --directory --owner genai files .devstack
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001

FROM base AS demo
COPY --from=build-demo /venv /venv
COPY devstack devstack

# The last stage is what `docker build` makes.
FROM base
COPY --from=build /venv /venv
COPY migrations migrations
COPY shared shared
COPY agent_bridge agent_bridge
COPY gateway gateway
# Each start would compile them anew otherwise.
USER 0
RUN python -m compileall -q shared agent_bridge gateway
USER 10001
ARG VERSION=0.1.0
LABEL org.opencontainers.image.version=$VERSION
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["python", "-m", "gateway"]

# The mock as a container: docs/mock-in-ci.md.
#
# The base is named by its tag. Its digest belongs here as soon as somebody has verified it against the registry
# (docker buildx imagetools inspect python:3.13-slim): a digest that nobody compared would only look safe.
FROM python:3.13-slim AS build
WORKDIR /build
# Wheels only, each by its hash: the whole lock for the build, what a run needs for the image.
COPY requirements.lock requirements-run.lock ./
RUN python -m venv /build/tools \
    && /build/tools/bin/pip install --no-cache-dir --only-binary :all: --require-hashes --requirement requirements.lock \
    && python -m venv /opt/mock \
    && /opt/mock/bin/pip install --no-cache-dir --only-binary :all: --require-hashes --requirement requirements-run.lock
COPY pyproject.toml README.md LICENSE openapi.json ./
COPY contract_watch ./contract_watch
COPY contract_tests ./contract_tests
COPY contracts ./contracts
COPY generated ./generated
RUN /build/tools/bin/python -m build --no-isolation --wheel --outdir /build/dist \
    && /opt/mock/bin/pip install --no-cache-dir --no-deps /build/dist/*.whl \
    && /opt/mock/bin/pip uninstall --yes pip

FROM python:3.13-slim
LABEL org.opencontainers.image.title="contract-watch mock" \
      org.opencontainers.image.description="Plays vendors' APIs, from their contracts, for the tests of their users" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/mock /opt/mock
ENV PATH="/opt/mock/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# Nobody's name: a number works where the cluster forbids root by number, and in images without /etc/passwd.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8025 8026
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=5 \
    CMD ["python", "-c", "import http.client as c; h = c.HTTPConnection('127.0.0.1:8025', timeout=2); h.request('GET', '/__mock/health'); raise SystemExit(h.getresponse().status != 200)"]
ENTRYPOINT ["contract-watch", "mock", "--host", "0.0.0.0", "--port", "8025", "--grpc-port", "8026"]

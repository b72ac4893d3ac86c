# The images of BitLoot, one a service:
#
#   docker build --build-arg SERVICE=payments -t bitloot/payments:dev .
#
# SERVICE is payments, orders, fulfillment-custom, fulfillment-kinguin, delivery, storefront,
# nowpayments-simulator, kinguin-simulator or tools (the command `bitloot`).
ARG PYTHON_IMAGE=python:3.11-slim
ARG SERVICE

# --- The base that all images share: Python and the libraries it needs, nothing to run besides.
FROM ${PYTHON_IMAGE} AS system
COPY deploy/images/strip.py /tmp/strip.py
RUN ["python3", "/tmp/strip.py"]

# --- Packages from hashed locks, wheels only; these change rarely.
FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
COPY requirements/bootstrap.lock requirements/
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --require-hashes --only-binary :all: -r requirements/bootstrap.lock
ARG SERVICE
COPY requirements/${SERVICE}.lock requirements/
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
        --disable-pip-version-check --root-user-action=ignore \
        --require-hashes --no-deps --only-binary :all: -r requirements/${SERVICE}.lock \
    && find /opt/venv/bin -type f -delete \
    && rm -f /opt/venv/bin/activate* \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

# --- Our own packages: only the member and the libraries that it declares.
FROM packages AS code
COPY deploy/images/members.py deploy/images/
COPY libs libs
COPY services services
COPY simulators simulators
COPY tools/cli tools/cli
COPY tools/verify tools/verify
RUN for member in $(python3 deploy/images/members.py ${SERVICE}); do \
        uv build --quiet --offline --no-python-downloads --wheel --out-dir wheels "$member" \
        || exit 1; \
    done \
    && python3 -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
        --disable-pip-version-check --root-user-action=ignore \
        --no-index --no-deps --target /opt/bitloot wheels/*.whl \
    && rm -rf /opt/bitloot/bin \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/bitloot

# --- What runs.
FROM scratch AS image
COPY --from=system / /
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /opt/bitloot /opt/bitloot
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin \
    LANG=C.UTF-8 \
    HOME=/tmp \
    PORT=8000 \
    PYTHONPATH=/opt/bitloot \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
STOPSIGNAL SIGTERM
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]
ARG SERVICE
ARG VERSION=0.1.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bitloot-${SERVICE}" \
      org.opencontainers.image.description="BitLoot: ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="BitLoot"

FROM image AS run-payments
ENTRYPOINT ["python", "-m", "payments"]
CMD ["serve"]

FROM image AS run-orders
ENTRYPOINT ["python", "-m", "orders"]
CMD ["serve"]

FROM image AS run-fulfillment-custom
ENTRYPOINT ["python", "-m", "fulfillment_custom"]
CMD ["serve"]

FROM image AS run-fulfillment-kinguin
ENTRYPOINT ["python", "-m", "fulfillment_kinguin"]
CMD ["serve"]

FROM image AS run-delivery
ENTRYPOINT ["python", "-m", "delivery"]
CMD ["serve"]

FROM image AS run-storefront
ENTRYPOINT ["python", "-m", "storefront"]
CMD ["serve"]

FROM image AS run-nowpayments-simulator
ENV NOWPAYMENTS_SIMULATOR_HOST=0.0.0.0 NOWPAYMENTS_SIMULATOR_PORT=8000
ENTRYPOINT ["python", "-m", "nowpayments_simulator"]

FROM image AS run-kinguin-simulator
ENV KINGUIN_SIMULATOR_HOST=0.0.0.0 KINGUIN_SIMULATOR_PORT=8000
ENTRYPOINT ["python", "-m", "kinguin_simulator"]

FROM image AS run-tools
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "bitloot_cli"]
CMD ["--help"]

FROM run-${SERVICE}

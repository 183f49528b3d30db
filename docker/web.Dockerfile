# Web, event streams, admin, migrations and beat: everything but torch.
FROM node:24-bookworm-slim AS dashboard
WORKDIR /build
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.12-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 OPENBLAS_NUM_THREADS=1
WORKDIR /app
COPY pyproject.toml constraints.txt ./
COPY scripts/setup/requirements.py scripts/setup/
RUN python scripts/setup/requirements.py s3 > /tmp/requirements.txt \
    && pip install -c constraints.txt -r /tmp/requirements.txt
COPY manage.py ./
COPY exfm_core/ exfm_core/
COPY platform/ platform/
COPY workers/ workers/
COPY --from=dashboard /build/dist/ frontend/dist/
ENV PYTHONPATH=/app/platform:/app DJANGO_SETTINGS_MODULE=config.settings.production STATIC_ROOT=/app/static
# The values stand in for the environment during the build alone.
RUN SECRET_KEY=build DATABASE_URL=postgresql://build@build/build BROKER_URL=amqp://build STORAGE_URL=file:///tmp \
    python manage.py collectstatic --no-input --verbosity 0 \
    && useradd --system --uid 10001 exfm
USER exfm
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "4", "--blocking-threads", "4", "--log-level", "warning", "config.wsgi:application"]

# Celery workers with their training children. --build-arg DEVICE=gpu takes FBGEMM's CUDA build; TORCH_INDEX_URL chooses PyTorch's.
FROM python:3.12-slim-bookworm
ARG DEVICE=cpu
ARG TORCH_INDEX_URL=
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive MALLOC_ARENA_MAX=2
WORKDIR /app
COPY pyproject.toml constraints.txt ./
COPY scripts/setup/requirements.py scripts/setup/
# torchrec comes without its dependencies: it would ask for the CUDA build of FBGEMM.
RUN pip install -c constraints.txt ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} torch \
    && python scripts/setup/requirements.py s3 "$DEVICE" > /tmp/requirements.txt \
    && pip install -c constraints.txt -r /tmp/requirements.txt \
    && pip install -c constraints.txt --no-deps torchrec
COPY manage.py ./
COPY exfm_core/ exfm_core/
COPY platform/ platform/
COPY workers/ workers/
ENV PYTHONPATH=/app/platform:/app DJANGO_SETTINGS_MODULE=config.settings.production
RUN useradd --system --create-home --uid 10001 exfm
USER exfm
CMD ["celery", "-A", "config.celery", "worker", "-P", "threads", "-c", "16", "-Q", "control,cpu", "-l", "info"]

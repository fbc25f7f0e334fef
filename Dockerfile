# The service and the page, without root and on a read-only file system: see docs/service.md.
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /lectern

COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin lectern

COPY .streamlit .streamlit
COPY data_prep data_prep
COPY models models
COPY apps apps
COPY lectern lectern
COPY benchmarks benchmarks
COPY streamlit_app.py ./

# What is compiled and cached is written here; compose mounts memory.
ENV HOME=/tmp NUMBA_CACHE_DIR=/tmp/numba
USER 10001
EXPOSE 8600
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8600/healthz', timeout=4)"]
# Without LECTERN_TOKEN it ends at once, with a message: 0.0.0.0 is reached from outside.
CMD ["python", "-m", "apps", "serve", "--host", "0.0.0.0"]

# docker build -t crlib . && docker run --rm -v "$PWD/build:/home/reader/crlib/build" crlib
# The environment is `make env`: its packages are those of requirements.lock.
FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends make git chromium fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 reader
USER reader
WORKDIR /home/reader/crlib
# First what the environment depends on: a change elsewhere does not install it again.
COPY --chown=reader Makefile pyproject.toml requirements.lock README.md LICENSE ./
COPY --chown=reader crlib/__init__.py crlib/__init__.py
RUN make env
COPY --chown=reader . .
CMD ["make", "book"]

# One image for every service; docker-compose.yml says which command each runs.
FROM python:3.13-slim

# Nothing is compiled: all dependencies are wheels, checked against their hashes.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements.txt requirements-parquet.txt /app/
RUN pip install --no-deps --only-binary :all: --require-hashes -r /app/requirements.txt -r /app/requirements-parquet.txt

# As in run.sh: the packages by one line in a .pth file, and the command as a script of three lines.
COPY LICENSE pyproject.toml /app/
COPY storage /app/storage
COPY crawler /app/crawler
COPY tasks /app/tasks
COPY console /app/console
RUN echo /app > "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/copydesk.pth" \
    && printf '#!/usr/local/bin/python\nfrom console.cli import main\n\nmain()\n' > /usr/local/bin/copydesk \
    && chmod 755 /usr/local/bin/copydesk \
    && python -m compileall -q /app \
    && useradd --uid 10001 --no-create-home --home-dir /data copydesk \
    && install -d -o copydesk -g copydesk /data

# PYTHONSAFEPATH: a stray module in the working folder must not hide one of ours.
ENV PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 COPYDESK_DATA=/data
WORKDIR /data
VOLUME /data
USER copydesk
CMD ["copydesk", "--help"]

#!/bin/bash
# What the official image's entrypoint does of that which compose.yaml uses: a cluster, its password, the scripts, once.
set -euo pipefail
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  # shellcheck disable=SC2086 (several options in one variable)
  initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-} > /dev/null
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl --silent -o "-c listen_addresses=''" --wait start
  for script in /docker-entrypoint-initdb.d/*.sh; do
    bash "$script"
  done
  pg_ctl --silent --mode=fast --wait stop
fi
exec postgres -c listen_addresses='*'

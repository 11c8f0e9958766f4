#!/bin/sh
# As the official entry point: a server without TCP sets the database up, then the real one starts.
set -eu
: "${POSTGRES_PASSWORD:?a password has to be given}"
chmod 700 "$PGDATA"
password=$(mktemp)
echo "$POSTGRES_PASSWORD" > "$password"
# shellcheck disable=SC2086  # several options
initdb --username="$POSTGRES_USER" --pwfile="$password" --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
pg_ctl --options="-c listen_addresses=''" --wait start
createdb --username="$POSTGRES_USER" --maintenance-db=postgres "$POSTGRES_DB"
pg_ctl --mode=fast --wait stop
exec "$@" -c "listen_addresses=*"

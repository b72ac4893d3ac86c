#!/bin/bash
# Runs once, when PostgreSQL's volume is empty: a role and a database of the same name for each
# service, which nobody else may open but `verify`, who only reads.
# <SERVICE>_DATABASE_PASSWORD holds each password.
set -euo pipefail

for service in payments orders fulfillment_custom fulfillment_kinguin delivery; do
    variable="${service^^}_DATABASE_PASSWORD"
    psql --set ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
        --set "role=$service" --set "password=${!variable:?}" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE ALL ON DATABASE :"role" FROM PUBLIC;
SQL
done

# Reads every database, to check what holds between the services; changes nothing.
psql --set ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
    --set "password=${VERIFY_DATABASE_PASSWORD:?}" <<'SQL'
CREATE ROLE verify LOGIN PASSWORD :'password' IN ROLE pg_read_all_data;
GRANT CONNECT ON DATABASE payments, orders, fulfillment_custom, fulfillment_kinguin, delivery
    TO verify;
SQL

#!/bin/bash
# Runs once, when PostgreSQL's volume is empty: a role and a database of the same name for each
# service, which nobody else may open. <SERVICE>_DATABASE_PASSWORD holds each password.
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

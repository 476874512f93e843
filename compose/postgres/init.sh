#!/bin/bash
# Runs once, when the database is empty: a database with a role that can only read it, and those of pgvector and Keycloak.
set -euo pipefail

secret() { tr -d '\n' < "/run/secrets/$1"; }

psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
  --set reader="$(secret reader_password)" --set vector="$(secret vector_password)" \
  --set keycloak="$(secret keycloak_db_password)" <<'SQL'
CREATE ROLE reader LOGIN PASSWORD :'reader' CONNECTION LIMIT 40;
CREATE ROLE vector LOGIN PASSWORD :'vector';
CREATE ROLE keycloak LOGIN PASSWORD :'keycloak';
CREATE DATABASE shop;
CREATE DATABASE vector OWNER vector;
CREATE DATABASE keycloak OWNER keycloak;
REVOKE CONNECT, TEMPORARY ON DATABASE shop, vector, keycloak, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE shop TO reader;
ALTER ROLE reader SET default_transaction_read_only = on;

\connect vector
CREATE EXTENSION vector;

\connect shop
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price numeric(8, 2) NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, product int NOT NULL REFERENCES products, pieces int NOT NULL);
INSERT INTO products VALUES (1, 'lamp', 39.90), (2, 'chair', 120.00), (3, 'desk', 480.00);
INSERT INTO orders SELECT n, 1 + n % 3, 1 + n % 4 FROM generate_series(1, 60) AS n;
GRANT USAGE ON SCHEMA public TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader;
SQL

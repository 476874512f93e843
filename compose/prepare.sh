#!/bin/sh
# Makes what compose.yaml needs and a repository must not hold: `.env`, passwords, keys and certificates in secrets/.
# What is there stays as it is: run it again after a new version, or to renew a certificate that you have removed.
# Without ca.pem it makes an authority, with ca.key if that is there, and certificates in place of those it has made.
# It needs openssl and nothing else.
set -eu
umask 077
cd "$(dirname "$0")"

[ -e .env ] || { cp .env.example .env && chmod 644 .env && echo "made .env from .env.example"; }
domain=$(sed -n 's/^PROXY_DOMAIN=//p' .env)
mkdir -p secrets
chmod 700 secrets  # the wall: containers get single files out of it, and those have to be readable for their users
cd secrets

# put NAME: keep standard input as a secret, unless there is one of that name.
put() {
  if [ -e "$1" ]; then cat > /dev/null; else cat > "$1.new"; chmod 644 "$1.new"; mv "$1.new" "$1"; fi
}
random() { openssl rand -hex 32; }

for name in secret_key audit_key metrics_token valkey_password qdrant_key database_password reader_password \
  vector_password keycloak_db_password keycloak_admin_password agent_client_secret grafana_admin_password; do
  random | put "$name"
done

# The agent's key, for the agent, and its hash, for the servers: those need not know it.
if [ ! -e assistant_hash ]; then
  printf 'rm_%s_%s\n' "$(openssl rand -hex 4)" "$(random)" | put assistant_key
  printf %s "$(cat assistant_key)" | openssl dgst -sha256 -r | sed 's/^\([0-9a-f]*\).*/sha256:\1/' | put assistant_hash
fi

# Addresses and settings that have a password in them.
printf 'redis://:%s@valkey:6379/0\n' "$(cat valkey_password)" | put redis_url
printf 'postgresql://reader:%s@database/shop\n' "$(cat reader_password)" | put postgres_url
printf 'postgresql://vector:%s@database/vector\n' "$(cat vector_password)" | put pgvector_url
printf '%s\n' "requirepass $(cat valkey_password)" 'appendonly yes' 'appendfsync everysec' 'save ""' 'dir /data' |
  put valkey_conf
printf 'service:\n  api_key: %s\n' "$(cat qdrant_key)" | put qdrant_config

# Yours to fill: a connector without its own says so when it starts.
for name in slack_token github_token gdrive_oauth_client_secret; do put "$name" < /dev/null; done

# An authority of this installation's own, for the names inside and, on a laptop, for the one outside. The key
# identifiers are there because strict clients (Python 3.13 and later) ask for them.
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2> /dev/null; }
if [ ! -e ca.pem ]; then
  for name in proxy qdrant; do # a certificate of somebody else's authority stays
    ! openssl x509 -in "$name.pem" -noout -issuer 2> /dev/null | grep -q 'Ringmain at ' || rm "$name.pem"
  done
  printf '[req]\ndistinguished_name=name\n[name]\n[ca]\nbasicConstraints=critical,CA:TRUE\n%s\n%s\n' \
    'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash' > ca.cnf
  [ -e ca.key ] || key ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj "/CN=Ringmain at $domain" -config ca.cnf -extensions ca \
    -out ca.new
  rm ca.cnf
  mv ca.new ca.pem
fi
certificate() { # certificate FILE NAME
  [ ! -e "$1.pem" ] || return 0
  [ -e ca.key ] || { printf '%s\n' "secrets/$1.pem has to be made, and secrets/ca.key, which signs it, is not there." \
    "Bring it back, or remove secrets/ca.pem to begin anew: then all clients need the new one." >&2; exit 1; }
  key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf '%s\n' "subjectAltName=DNS:$2" 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' \
    'extendedKeyUsage=serverAuth' 'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 397 -sha256 -extfile "$1.ext" \
    -out "$1.pem" 2> /dev/null
  rm "$1.csr" "$1.ext"
  chmod 644 "$1.pem" "$1.key"
}
certificate proxy "$domain"
certificate qdrant qdrant

# What the connectors trust: everybody's authorities, and ours.
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
  /etc/ssl/cert.pem; do
  [ -e "$bundle" ] && break
done
[ -e "$bundle" ] || { echo "no certificates of public authorities found: install ca-certificates" >&2; exit 1; }
cat "$bundle" ca.pem > trusted.pem
chmod 644 trusted.pem ca.pem

for name in slack_token github_token gdrive_oauth_client_secret; do
  [ -s "$name" ] || echo "to use it, fill compose/secrets/$name"
done
echo "the agent \`assistant\` sends the key in compose/secrets/assistant_key; clients trust compose/secrets/ca.pem"

#!/bin/sh
# Runs a command with the package index and the certificates of whoever builds. Both come as build secrets, so that no
# layer, no history and no cache key has them: `index` is a file of NAME='value' lines, `certificates` one of PEM.
set -eu
if [ -f /run/secrets/index ]; then
    set -a
    . /run/secrets/index
    set +a
fi
if [ -f /run/secrets/certificates ]; then
    export SSL_CERT_FILE=/run/secrets/certificates PIP_CERT=/run/secrets/certificates
fi
exec "$@"

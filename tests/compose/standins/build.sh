#!/usr/bin/env bash
# Builds a stand-in under the name of each image that compose.yaml takes from a registry and that is not here:
# `build.sh` on a machine without registries. The engine is $IMAGES_ENGINE, else podman.
set -euo pipefail
cd "$(dirname "$0")"
caddy=${CADDY:-../../../.venv/bin/caddy}
engine=${IMAGES_ENGINE:-podman}
for service in proxy valkey database prometheus; do
  image=$(sed -n "/^  $service:/,/^\$/s/^    image: //p" ../../../compose/compose.yaml)
  "$engine" image inspect "$image" > /dev/null 2>&1 && continue
  echo "$image: a stand-in is built from Debian's packages"
  [[ $service != proxy ]] || install "$caddy" caddy
  "$engine" build -q --network host --target "$service" -t "$image" . > /dev/null
  rm -f caddy
done

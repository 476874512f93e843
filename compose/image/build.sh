#!/usr/bin/env bash
# Builds the image of every connector, or of those that are named: `make images` and `make images ARGS="slack github"`.
# From the environment:
#   ENGINE        docker, podman, buildah, or a script that is called as `SCRIPT build TAG ARGUMENTS…`; found by itself
#   BASE, EXTRAS  the arguments of compose/Dockerfile
#   PIP_*_URL, UV_*INDEX*, PIP_TRUSTED_HOST, UV_INSECURE_HOST, SSL_CERT_FILE
#                 an index and certificates of your own; handed over as build secrets
set -euo pipefail
cd "$(dirname "$0")/../.."

usable() { command -v "$1" > /dev/null && { [[ $1 != docker ]] || docker info > /dev/null 2>&1; }; }

find_engine() {
  local each
  for each in docker podman buildah; do
    if usable "$each"; then echo "$each" && return; fi
  done
  echo "No container engine answers here: install Docker, Podman or Buildah (and start it), or say ENGINE=…" >&2
  return 1
}

build() { # TAG ARGUMENTS…
  local tag=$1
  shift
  case ${engine##*/} in
    docker) "$engine" build -t "$tag" "$@" ;; # it finds Dockerfile.dockerignore by itself
    podman | buildah) "$engine" build --ignorefile compose/Dockerfile.dockerignore -t "$tag" "$@" ;;
    *) bash "$engine" build "$tag" "$@" ;;
  esac
}

quoted() { printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"; }

engine=${ENGINE:-$(find_engine)}
[[ -f $engine ]] || usable "$engine" || { echo "ENGINE=$engine is neither a script nor an engine that answers." >&2 && exit 1; }
export BUILDAH_FORMAT=docker # OCI's own has no health checks
export BUILDAH_LAYERS=true   # what the images have in common is made once
secrets=$(mktemp -d)
trap 'rm -rf "$secrets"' EXIT
while read -r name; do
  [[ -z ${!name} ]] || quoted "$name" "${!name}" >> "$secrets/index"
done < <(compgen -e | grep -xE 'PIP_(EXTRA_)?INDEX_URL|PIP_TRUSTED_HOST|UV_(INDEX|DEFAULT_INDEX|EXTRA_INDEX).*|UV_INSECURE_HOST')

common=(-f compose/Dockerfile)
[[ ! -s $secrets/index ]] || common+=(--secret "id=index,src=$secrets/index")
[[ ! -f ${SSL_CERT_FILE:-} ]] || common+=(--secret "id=certificates,src=$SSL_CERT_FILE")
for name in BASE EXTRAS; do
  [[ -z ${!name+set} ]] || common+=(--build-arg "$name=${!name}")
done
if revision=$(git rev-parse HEAD 2> /dev/null); then common+=(--build-arg "REVISION=$revision"); fi

connectors=("$@")
(($#)) || for folder in packages/*/pyproject.toml; do
  connectors+=("$(basename "$(dirname "$folder")")")
done

number=0
for connector in "${connectors[@]}"; do
  [[ -f packages/$connector/pyproject.toml ]] || { echo "There is no packages/$connector." >&2 && exit 2; }
  version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "packages/$connector/pyproject.toml")
  number=$((number + 1))
  began=$SECONDS
  echo "[$number/${#connectors[@]}] ringmain-$connector, with ${engine##*/}"
  if ! build "ringmain-$connector" -t "ringmain-$connector:$version" "${common[@]}" \
    --build-arg "PACKAGE=$connector" --build-arg "VERSION=$version" . > "$secrets/log" 2>&1; then
    cat "$secrets/log" >&2
    echo "ringmain-$connector could not be built; above is what ${engine##*/} said." >&2
    exit 1
  fi
  echo "      built in $((SECONDS - began)) s"
done

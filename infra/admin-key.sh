#!/bin/sh
# Makes the first admin key of an azd environment, once. It stays in that environment's file (.azure/, which git ignores) until
# `azd env set OLLAMAMAX_ADMIN_KEY none` takes it out of use at the next deployment.
set -eu

if [ -z "${OLLAMAMAX_ADMIN_KEY:-}" ]; then
  azd env set OLLAMAMAX_ADMIN_KEY "omx_$(openssl rand -hex 8)_$(openssl rand -hex 32)"
  echo "The first admin key is made: azd env get-value OLLAMAMAX_ADMIN_KEY"
fi

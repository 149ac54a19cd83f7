#!/usr/bin/env bash
# Publishes src/Functions once and deploys it to every edge: deploy-edges.sh RESOURCE_GROUP APP...
# (the outputs AZURE_RESOURCE_GROUP and EDGE_APPS). Needs the .NET 10 SDK, Node.js, zip, and az, signed in.
# One after the other, so that the others go on serving.
# With --others: to all but the first, as azd calls it with those outputs in its environment.
set -euo pipefail

if [ "${1:-}" = --others ]; then
  # A list in JSON, of names that are letters, digits and dashes.
  read -ra apps <<< "$(tr -c '[:alnum:]-' ' ' <<< "$EDGE_APPS")"
  [ ${#apps[@]} -gt 1 ] || exit 0
  set -- "$AZURE_RESOURCE_GROUP" "${apps[@]:1}"
fi
if [ $# -lt 2 ]; then
  echo "usage: deploy-edges.sh RESOURCE_GROUP APP... | --others" >&2
  exit 1
fi
group=$1
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

PackageSet=full dotnet publish "$root/src/Functions" -c Release -o "$work/app"
# .azurefunctions, which the host cannot do without, begins with a dot.
(cd "$work/app" && zip -qr "$work/app.zip" .)
for app in "$@"; do
  az functionapp deployment source config-zip --resource-group "$group" --name "$app" --src "$work/app.zip" --only-show-errors --output none
  echo "$app has it"
done

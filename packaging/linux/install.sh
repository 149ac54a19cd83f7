#!/usr/bin/env bash
# Makes this box a worker that starts with it, or brings a newer version in place. docs/gpu-boxes.md shows how; `install.sh --help` lists what there is.
# Run it as root, from the folder of a published worker (dotnet publish) or with --from.
set -euo pipefail
umask 022

# Another root than / is for packages and tests: files go there, and nobody's system is touched. OLLAMAMAX_SYSTEMCTL is asked there in the place of the system's.
root=${OLLAMAMAX_ROOT:-}
releases=$root/opt/ollamamax/releases
current=$root/opt/ollamamax/current
settings=$root/etc/ollamamax/worker.env
authority=$root/etc/ollamamax/ca.pem
unit=$root/etc/systemd/system/ollamamax-worker.service
writable=$unit.d/replicas.conf
data=$root/var/lib/ollamamax
service=ollamamax-worker
user=ollamamax
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'USAGE'
OLLAMAMAX_JOIN_TOKEN=TOKEN ./install.sh --edge URL [--ca FILE] [--from FOLDER] [--drain-seconds N] [-- OPTION...]
                               joins, installs and starts; --ca: PEM of the authority that signed the edge's
                               certificate, where no system knows it; options are those of `run` (docs/worker.md)
./install.sh update [--from FOLDER]
                               installs this version, drains the old one, starts the new one
./install.sh rollback          back to the version before
./install.sh uninstall [--data]
                               drains, stops and takes away; with --data the models and the identity too
USAGE
}

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

control() {
  if [ -z "$root" ]; then systemctl "$@"; else ${OLLAMAMAX_SYSTEMCTL:-echo systemctl} "$@"; fi
}

# What ends as soon as it is started is started again and again by systemd, which tells nobody.
restart_worker() {
  local looks
  control restart "$service"
  [ -z "$root" ] || [ -n "${OLLAMAMAX_SYSTEMCTL:-}" ] || return 0
  for looks in 1 2 3 4 5; do
    sleep 1
    if ! control is-active --quiet "$service"; then
      journalctl --unit "$service" --lines 20 --no-pager >&2 || true
      fail "the service is in place and does not run; its last lines stand above${1:+; $1}"
    fi
  done
}

# Runs a command as the worker's user, where there is one.
as_user() {
  if [ -z "$root" ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}

# The published worker beside this script, below it, or where --from says.
find_worker() {
  local folder
  for folder in ${from:+"$from"} "$here" "$PWD"; do
    if [ -f "$folder/OllamaMax.GpuWorker.dll" ]; then
      (cd "$folder" && pwd)
      return
    fi
  done
  fail "no OllamaMax.GpuWorker.dll in ${from:-"$here or $PWD"}: dotnet publish src/GpuWorker -p:PublishProfile=Cpu (or Cuda12), and --from the folder that it names"
}

# Each version in a folder of its own: sets `release` to it.
put_release() {
  release=$releases/$(date -u +%Y%m%dT%H%M%S)-$(sha256sum "$1/OllamaMax.GpuWorker.dll" | cut -c1-8)
  mkdir -p "$releases"
  rm -rf "$release.part"
  cp -R "$1" "$release.part"
  mv -T "$release.part" "$release"
}

# The link changes in one step, so that there is always a whole version.
switch_to() {
  local before
  before=$(readlink "$current" 2>/dev/null || true)
  if [ -n "$before" ] && [ "$before" != "releases/$1" ]; then
    ln -sfn "$before" "$current.before"
  fi
  ln -sfn "releases/$1" "$current.new"
  mv -T "$current.new" "$current"
}

# Of all but the running version and the one before.
drop_old_releases() {
  local keep name
  keep="$(readlink "$current") $(readlink "$current.before" 2>/dev/null || true)"
  for name in "$releases"/*; do
    case " $keep " in
      *" releases/$(basename "$name") "*) ;;
      *) rm -rf "$name" ;;
    esac
  done
}

put_user() {
  local group
  if ! id "$user" >/dev/null 2>&1; then
    useradd --system --home-dir /var/lib/ollamamax --shell /usr/sbin/nologin "$user"
  fi
  # GPUs of AMD and Intel are theirs.
  for group in video render; do
    if getent group "$group" >/dev/null; then usermod -aG "$group" "$user"; fi
  done
}

put_settings() {
  mkdir -p "$(dirname "$settings")"
  if [ -n "$ca" ]; then
    mv "$authority.new" "$authority"
    options="--ca ${authority#"$root"}${options:+ $options}"
  fi
  cat >"$settings" <<EOF_SETTINGS
# Read by systemd when the worker starts: systemctl restart $service
OLLAMAMAX_EDGE=$edge
OLLAMAMAX_DRAIN_SECONDS=$drain_seconds
# More options of \`run\`, separated by spaces (docs/worker.md).
OLLAMAMAX_OPTIONS=$options
EOF_SETTINGS
  chmod 0640 "$settings"
}

# The folder of --replicas: the service may write nothing but its own.
find_replicas() {
  local before='' option
  for option in "${more[@]}"; do
    case "$before $option" in
      "--replicas "*) replicas=$option ;;
      *" --replicas="* | *" --replicas:"*) replicas=${option#--replicas?} ;;
    esac
    before=$option
  done
  [ -z "$replicas" ] || [[ $replicas == /* ]] || fail "--replicas $replicas: give the whole path, as the service runs elsewhere"
  case "$replicas/" in
    /home/* | /root/* | /run/user/*) fail "--replicas $replicas: the service sees no homes (ProtectHome)" ;;
  esac
}

put_replicas() {
  [ -n "$replicas" ] || return 0
  [ ! -d "$root$replicas" ] || return 0
  mkdir -p "$root$replicas"
  new_replicas=$root$replicas
  [ -n "$root" ] || chown "$user:" "$replicas"
}

put_unit() {
  mkdir -p "$(dirname "$unit")"
  if [ -n "$replicas" ]; then
    mkdir -p "$(dirname "$writable")"
    printf '[Service]\nReadWritePaths=%s\n' "$replicas" >"$writable"
  else
    rm -f "$writable"
  fi
  # A stop that is cut short would be a kill: what ran would be found out by silence.
  sed "s/^TimeoutStopSec=.*/TimeoutStopSec=$((drain_seconds + 30))/" "$unit_source" >"$unit"
}

install_worker() {
  [ -n "$edge" ] || { usage >&2; fail "--edge is missing"; }
  command -v dotnet >/dev/null || fail "dotnet is missing: the .NET 10 runtime with ASP.NET Core (aspnetcore-runtime-10.0)"
  local source
  source=$(find_worker)
  [ -n "$root" ] || put_user
  put_release "$source"
  mkdir -p "$data"
  chmod 0700 "$data"
  [ -n "$root" ] || chown "$user:" "$data"
  # Where the service may read it, which sees no home.
  [ -z "$ca" ] || install -D -m 0644 "$ca" "$authority.new"
  put_replicas
  # Before anything is enabled: wrong options, a bad token or a wrong address show here. The service itself is never told the token.
  ask_worker run --check --drain-seconds "$drain_seconds" "${more[@]}" || give_up "the worker cannot be run so"
  ask_worker join || give_up "this box was not let in"
  switch_to "$(basename "$release")"
  put_settings
  put_unit
  control daemon-reload
  control enable "$service"
  restart_worker
  drop_old_releases
}

# The version that is being installed.
ask_worker() {
  as_user env HOME="$data" dotnet "$release/OllamaMax.GpuWorker.dll" "$@" --edge "$edge" --data "$data" ${ca:+--ca "$authority.new"}
}

give_up() {
  rm -rf "$release" "$authority.new"
  [ -z "$new_replicas" ] || rmdir --ignore-fail-on-non-empty "$new_replicas"
  fail "$*; nothing was changed"
}

update_worker() {
  [ -L "$current" ] || fail "nothing is installed here: install first"
  local source
  source=$(find_worker)
  put_release "$source"
  switch_to "$(basename "$release")"
  restart_worker "./install.sh rollback goes back"
  drop_old_releases
}

roll_back() {
  [ -L "$current.before" ] || fail "there is no version before"
  local before
  before=$(basename "$(readlink "$current.before")")
  [ -d "$releases/$before" ] || fail "the version before is gone"
  switch_to "$before"
  restart_worker
}

uninstall_worker() {
  control disable --now "$service"
  rm -rf "$root/opt/ollamamax" "$settings" "$authority" "$unit" "$writable"
  control daemon-reload
  if [ -n "$with_data" ]; then
    rm -rf "$data"
  fi
}

command=install
case "${1:-}" in
  update | rollback | uninstall)
    command=$1
    shift
    ;;
esac
edge='' ca='' from='' drain_seconds=120 options='' with_data='' replicas='' new_replicas=''
while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h)
      usage
      exit 0
      ;;
    --edge | --ca | --from | --drain-seconds)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case "$1" in
        --edge) edge=$2 ;;
        --ca) ca=$2 ;;
        --from) from=$2 ;;
        *) drain_seconds=$2 ;;
      esac
      shift 2
      ;;
    --data)
      with_data=1
      shift
      ;;
    --)
      shift
      options=$*
      break
      ;;
    *) fail "unknown: $1 (--help lists what there is)" ;;
  esac
done
[[ $drain_seconds =~ ^[0-9]{1,4}$ && 10#$drain_seconds -le 3600 ]] || fail "--drain-seconds is a number of seconds, 0 to 3600"
[[ $edge =~ ^(https?://[^[:space:]\"\'\\]+)?$ ]] || fail "--edge is no http(s) URL"
[ -z "$ca" ] || [ -r "$ca" ] || fail "--ca $ca cannot be read"
[[ $options != *$'\n'* ]] || fail "options are one line"
drain_seconds=$((10#$drain_seconds))
# As systemd splits them: quotes hold words together.
split=$(xargs -r -n1 printf '%s\n' <<<"$options") || fail "the options' quotes do not match"
more=()
[ -z "$split" ] || mapfile -t more <<<"$split"
find_replicas
if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  fail "run it as root: sudo OLLAMAMAX_JOIN_TOKEN=... ./install.sh ..."
fi
# Published beside the worker, or here in the checkout.
unit_source=$here/ollamamax-worker.service

case "$command" in
  install) install_worker ;;
  update) update_worker ;;
  rollback) roll_back ;;
  uninstall) uninstall_worker ;;
esac

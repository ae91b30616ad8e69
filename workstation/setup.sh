#!/bin/sh
# Sets up a laptop with Linux or macOS: ./setup.sh ROLE [apply | status | undo] [--dry-run]
# It gets mise and uv; laptop.py does the rest.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mise_version=2026.9.15

stop() {
    echo "$1" >&2
    exit 1
}

if [ "$(id -u)" = 0 ] && [ "${SUDO_USER:-root}" != root ]; then
    stop "Run this without sudo: it asks for the password where it needs an administrator."
fi
[ -w "$HOME" ] || stop "$HOME is read-only: make it writable, then run this again."

PATH="$HOME/.local/bin:$PATH"
MISE_TRUSTED_CONFIG_PATHS=$here
export PATH MISE_TRUSTED_CONFIG_PATHS
reach="connect to the network (behind a proxy, set HTTPS_PROXY), then run this again."
if ! command -v mise >/dev/null; then
    installer=$(curl --fail --silent --location https://mise.run) ||
        stop "mise could not be downloaded from https://mise.run: $reach"
    echo "$installer" | MISE_VERSION="v$mise_version" MISE_QUIET=1 sh >/dev/null 2>&1 ||
        stop "mise $mise_version could not be installed: $reach"
fi
uv=$(command -v uv || mise --cd="$HOME" which uv 2>/dev/null ||
    mise --cd="$HOME" exec uv@latest -- sh -c 'command -v uv' 2>/dev/null) ||
    stop "uv could not be downloaded: $reach"
"$uv" sync --quiet --offline --script "$here/laptop.py" 2>/dev/null ||
    "$uv" sync --quiet --script "$here/laptop.py" 2>/dev/null ||
    stop "Python 3.11 or the package json-five could not be downloaded: $reach"
exec "$uv" run --quiet --offline --script "$here/laptop.py" "$@"

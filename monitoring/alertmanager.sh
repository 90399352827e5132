#!/bin/sh
# Start Alertmanager with alertmanager.yml, and with the webhook of ALERT_WEBHOOK_URL, if that is set.
#
#   alertmanager.sh FILE PROGRAM [argument…]     FILE: where the configuration is written
#
# Alertmanager reads no variables. The file ends with the receiver to which the webhook is added.
set -eu

written=$1
shift
umask 077 # such an address is often a secret
{
    cat "$(dirname "$0")/alertmanager.yml"
    if [ -n "${ALERT_WEBHOOK_URL:-}" ]; then
        printf '    webhook_configs:\n      - url: "%s"\n' "$ALERT_WEBHOOK_URL"
    fi
} >"$written"
exec "$@" --config.file="$written"

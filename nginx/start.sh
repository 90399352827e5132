#!/bin/sh
# What the container runs: its configuration is read-only, so a copy of it takes the settings of the
# edge cache from the environment. Without Docker, `flotilla up` writes that file.
set -eu

conf=/flotilla/run/conf
mkdir -p "$conf"
cp /etc/nginx/*.conf "$conf"
sed -i \
    -e "s/max_size=[^ ]*/max_size=$EDGE_CACHE_SIZE/" \
    -e "s/inactive=[^ ]*/inactive=${EDGE_CACHE_TTL_SECONDS}s/" \
    -e "s/keys_zone=[^ ]*/keys_zone=edge:$EDGE_CACHE_KEYS/" \
    "$conf/edge_storage.conf"
cd /flotilla
exec nginx -e stderr -p ./ -c "$conf/nginx.conf" -g 'daemon off;'

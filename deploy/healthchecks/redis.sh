#!/bin/sh
# Succeed if Redis answers. Its client exits with 0 even for an error (still loading, for example).
[ "$(redis-cli -h 127.0.0.1 ping)" = PONG ]

#!/bin/sh
# Succeed if the URL given answers with 2xx within 2 seconds.
exec wget -q -T 2 -O /dev/null "$1"

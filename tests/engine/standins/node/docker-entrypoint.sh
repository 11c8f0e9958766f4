#!/bin/sh
# Written anew to the documented behaviour of the official image's: what is an option, a file that cannot be executed,
# or no command at all is an argument of node's.
set -e
case "$1" in
    -*) set -- node "$@" ;;
    *) { command -v "$1" > /dev/null && ! { [ -f "$1" ] && [ ! -x "$1" ]; }; } || set -- node "$@" ;;
esac
exec "$@"

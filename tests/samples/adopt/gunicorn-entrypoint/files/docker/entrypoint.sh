#!/bin/sh
set -e
# What migrates a schema stands here.
python -c "import orders.main"
exec "$@"

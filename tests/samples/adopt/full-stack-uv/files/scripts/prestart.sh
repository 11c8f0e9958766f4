#!/bin/sh
set -e
# What prepares a database stands here.

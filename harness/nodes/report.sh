#!/bin/sh
# Tells the harness what keepalived called it with.
echo "$@" > /run/notify.scripts

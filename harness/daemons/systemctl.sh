#!/bin/sh
# There is no init system on this machine: a unit is active while a process of its name runs.
# Usage: systemctl [OPTIONS] is-active|status UNIT, service UNIT status
quiet=
unit=
for word; do
    case $word in
        -q | --quiet) quiet=yes ;;
        -* | is-active | is-failed | status) ;;
        *) unit=${word%.service} ;;
    esac
done
if pidof "$unit" >/dev/null; then
    [ "$quiet" ] || echo active
else
    [ "$quiet" ] || echo inactive
    exit 3
fi

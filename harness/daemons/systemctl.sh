#!/bin/sh
# There is no init system on this machine: a unit is active while a process of its name runs, and one that has ended
# cannot be started again. keepalived can be stopped.
# Usage: systemctl [OPTIONS] is-active|status|stop|start|restart UNIT, service UNIT status|stop|start|restart
quiet=
unit=
action=
for word; do
    case $word in
        -q | --quiet) quiet=yes ;;
        start | stop | restart | reload) action=$word ;;
        -* | is-active | is-failed | status) ;;
        *) unit=${word%.service} ;;
    esac
done
if [ "${0##*/}" = keepalived ]; then
    unit=keepalived
fi
if [ "$action" = stop ] && [ "$unit" = keepalived ]; then
    kill "$(cat /run/keepalived.pid)"
    exit
fi
if [ "$action" ] && pidof "$unit" >/dev/null; then
    exit 0
fi
if pidof "$unit" >/dev/null; then
    [ "$quiet" ] || echo active
else
    [ "$quiet" ] || echo inactive
    exit 3
fi

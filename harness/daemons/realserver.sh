#!/bin/sh
# Make this machine a real server of an LVS-DR cluster: hold the VIPs on lo, and keep silent about them in ARP.
# Usage: realserver.sh start|stop
#
# arp_ignore=1: answer ARP only for addresses of the interface that the question came in by, so not for those on lo.
# arp_announce=2: never name the VIP as the sender of an ARP question of our own, but an address of the interface.
set -eu

VIPS="@VIPS@"

suppress() {
    for interface in all lo; do
        echo "$1" >"/proc/sys/net/ipv4/conf/$interface/arp_ignore"
        echo "$2" >"/proc/sys/net/ipv4/conf/$interface/arp_announce"
    done
}

case "${1-}" in
start)
    suppress 1 2
    for vip in $VIPS; do
        ip address replace "$vip/32" dev lo
    done
    ;;
stop)
    # The VIP stays on lo: what is left is the machine that everybody is warned of.
    suppress 0 0
    ;;
*)
    echo "Wrong Arguments"
    exit 2
    ;;
esac

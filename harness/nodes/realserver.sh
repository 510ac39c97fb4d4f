#!/bin/sh
# Make this machine a real server of an LVS cluster: hold the VIPs, and keep silent about them in ARP.
# Usage: realserver.sh start|stop
#
# arp_ignore=1: answer ARP only for addresses of the interface that the question came in by, so not for those on lo.
# arp_announce=2: never name the VIP as the sender of an ARP question of our own, but an address of the interface.
# IPv6 needs neither: neighbour discovery answers for the addresses of the interface alone.
set -eu

VIPS="@VIPS@"
TUNNELLED="@TUNNELLED@"

suppress() {
    for interface in all lo; do
        echo "$1" >"/proc/sys/net/ipv4/conf/$interface/arp_ignore"
        echo "$2" >"/proc/sys/net/ipv4/conf/$interface/arp_announce"
    done
}

hold() {
    case "$1" in
    *:*) ip address replace "$1/128" dev "$2" nodad ;;
    *) ip address replace "$1/32" dev "$2" ;;
    esac
}

# What the director has put into another packet comes out of the tunnel interface. Its sender is a client, to whom the
# way leads out by another interface: with rp_filter that would be a reason to drop it.
open_tunnel() {
    case "$1" in
    *:*)
        ip link show ip6tnl0 >/dev/null 2>&1 || ip link add ip6tnl0 type ip6tnl 2>/dev/null || true
        ip link set ip6tnl0 up
        hold "$1" ip6tnl0
        ;;
    *)
        ip link show tunl0 >/dev/null 2>&1 || ip link add tunl0 type ipip 2>/dev/null || true
        ip link set tunl0 up
        echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
        echo 0 >/proc/sys/net/ipv4/conf/tunl0/rp_filter
        hold "$1" tunl0
        ;;
    esac
}

case "${1-}" in
start)
    suppress 1 2
    for vip in $VIPS; do
        hold "$vip" lo
    done
    for vip in $TUNNELLED; do
        open_tunnel "$vip"
    done
    ;;
stop)
    # The VIP stays where it is: what is left is the machine that everybody is warned of.
    suppress 0 0
    ;;
*)
    echo "Wrong Arguments"
    exit 2
    ;;
esac

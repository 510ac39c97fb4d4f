#!/bin/sh
# What a director's health script stands for: it succeeds, until /run/check says "fail" or "hang".
verdict=succeed
[ -e /run/check ] && read -r verdict < /run/check
case $verdict in
    fail) exit 1 ;;
    hang) exec sleep 86400 ;;
esac

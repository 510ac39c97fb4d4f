#!/bin/sh
sleep 1000 &
while :; do echo "still here"; done

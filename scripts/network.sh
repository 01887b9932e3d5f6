#!/bin/sh
# Gives this network namespace loopback and one address that is none, then runs a command in it:
#   unshare --net scripts/network.sh COMMAND [ARG ...]
# Browsers gather no loopback candidates and look for a default route; nothing answers at the other end of it.
set -eu
ip link set lo up
ip link add dialcast0 type veth peer name dialcast1
ip address add 198.51.100.1/24 dev dialcast0
ip link set dialcast0 up
ip link set dialcast1 up
ip route add default via 198.51.100.254
exec "$@"

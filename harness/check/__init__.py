"""A user's own keepalived.conf: read by keepalived itself, turned into a cluster, and tried."""

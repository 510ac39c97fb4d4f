"""The LVS harness: LVS-DR clusters as code, on the real keepalived, ipvsadm and Apache httpd."""

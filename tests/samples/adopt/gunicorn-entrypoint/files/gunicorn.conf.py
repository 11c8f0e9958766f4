keepalive = 5

# The role `router`, beside each load balancer. It needs nothing of the KV. Health tells of nodes as well as of services.
service_prefix "" { policy = "read" }
node_prefix "" { policy = "read" }

# The role `router`, beside each load balancer.

service_prefix "" {
  policy = "read"
}

# Health tells of nodes as well; without this rule every service looks empty.
node_prefix "" {
  policy = "read"
}

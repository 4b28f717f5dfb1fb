# The role `build-trigger` under the prefix "sluice". It writes down how builds go, and sees nothing of any environment.
key_prefix "sluice/builds/of/" { policy = "write" }
key "sluice/builds/requested" { policy = "read" }
key "sluice/locks/builds" { policy = "write" }
session_prefix "" { policy = "write" }

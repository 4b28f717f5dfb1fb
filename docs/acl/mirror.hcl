# The mirror of the environment "production" under the prefix "sluice".
key_prefix "sluice/production/files/" { policy = "write" }
key "sluice/production/revision" { policy = "write" }
key_prefix "sluice/production/changes/" { policy = "write" }
key_prefix "sluice/production/control/" { policy = "read" }
key "sluice/production/events/mirror" { policy = "write" }
key "sluice/locks/production/mirror" { policy = "write" }
session_prefix "" { policy = "write" }

# The mirror of the environment of several branches "preview" under the prefix "sluice".
key_prefix "sluice/preview-" { policy = "write" }
key "sluice/preview/branches" { policy = "write" }
key_prefix "sluice/preview/control/" { policy = "read" }
key "sluice/preview/events/branches" { policy = "write" }
key "sluice/locks/preview/branches" { policy = "write" }
key_prefix "sluice/locks/preview-" { policy = "write" }
session_prefix "" { policy = "write" }

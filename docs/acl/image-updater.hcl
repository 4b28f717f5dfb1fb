# The image updater of one environment. It reads what is announced and remembers what Git has had; files and jobs are none of its business.
key_prefix "sluice/images/" { policy = "list" }
key "sluice/production/image-marks" { policy = "write" }
key_prefix "sluice/production/control/" { policy = "read" }
key "sluice/locks/production/image-updater" { policy = "write" }
session_prefix "" { policy = "write" }

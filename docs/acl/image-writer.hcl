# Whoever writes image tags: CI, or a registry's webhook. It sees nothing else.
key_prefix "sluice/images/" { policy = "write" }

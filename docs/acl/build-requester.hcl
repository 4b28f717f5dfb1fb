# Whoever asks for builds and shows them: an engine with the role `http` where there are `builds`.
key_prefix "sluice/builds/of/" { policy = "write" }
key "sluice/builds/requested" { policy = "write" }

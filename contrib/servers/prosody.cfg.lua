-- Above the first VirtualHost: where components connect.
component_ports = { 5347 }
component_interfaces = { "127.0.0.1" }              -- Annex is on this machine

-- At the end of the file: one of these for each component.
Component "echo.example.org"
	component_secret = "the component's secret" -- the same as in annex.yaml, or its secret-file
	component_conflict_resolve = "kick_old"     -- or a dead connection keeps the new one out for a quarter of an hour

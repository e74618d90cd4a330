-- For prosody.cfg.lua: one Component for each.
component_ports = { 5347 }
component_interfaces = { "127.0.0.1" }              -- Annex is on this machine

Component "echo.example.org"
	component_secret = "the component's secret"
	component_conflict_resolve = "kick_old"     -- or a dead connection keeps the new one out for a quarter of an hour

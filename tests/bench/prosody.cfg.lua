-- Prosody for benches: its own rooms, a component, no TLS, and a log of what goes wrong alone.
-- $$name is filled in by tests/live/lib/servers.py.
run_as_root  = true
daemonize    = false
pidfile      = "$dir/prosody.pid"
data_path    = "$dir/data"
certificates = "$dir/certs"
log          = { { levels = { min = "warn" }, to = "file", filename = "$log" } }
interfaces   = { "127.0.0.1" }

c2s_ports            = { $c2s }
component_ports      = { $port }
component_interfaces = { "127.0.0.1" }
http_ports           = {}
https_ports          = {}
c2s_direct_tls_ports = {}
network_settings     = { tcp_backlog = 1024 }

authentication               = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption       = false
storage                      = "internal"
limits                       = {}

modules_enabled  = { "saslauth", "disco", "ping", "presence", "message", "iq", "posix" }
modules_disabled = { "s2s", "tls" }

VirtualHost "localhost"

Component "one.localhost"
	component_secret = "$secret"

Component "rooms.localhost" "muc"
	storage = "memory"
	max_history_messages = 0
	restrict_room_creation = false

-- Only admins may make nodes there.
Component "pubsub.localhost" "pubsub"
	admins = { "user0@localhost" }

-- Prosody for tests: loopback, components over TCP and TLS, nothing else.
-- $$name is filled in by lib/servers.py.
run_as_root  = true
daemonize    = false
pidfile      = "$dir/prosody.pid"
data_path    = "$dir/data"
certificates = "$dir/certs"
log          = { { levels = { min = "debug" }, to = "file", filename = "$log" } }
interfaces   = { "127.0.0.1" }

c2s_ports            = { $c2s }
component_ports      = { $port }
component_interfaces = { "127.0.0.1" }
http_ports           = { $http }
http_interfaces      = { "127.0.0.1" }
https_ports          = {}
c2s_direct_tls_ports = {}

-- Components over TLS: the multiplexer finds out what is spoken inside.
ssl_ports      = { $tls_port }
ssl_interfaces = { "127.0.0.1" }
ssl_ssl        = { key = "$key", certificate = "$certificate" }

authentication               = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption       = false
storage                      = "internal"

-- Let what is too large for Annex get as far as that.
c2s_stanza_size_limit       = 20 * 1024 * 1024
component_stanza_size_limit = 20 * 1024 * 1024
limits = {}

modules_enabled  = { "roster", "saslauth", "disco", "ping", "presence", "message", "iq", "offline", "posix", "net_multiplex", "smacks", "blocklist", "pep" }
modules_disabled = { "s2s", "tls" }

VirtualHost "localhost"
	modules_enabled     = { "privilege" }
	privileged_entities = { ["trusted.localhost"] = { roster = "get", presence = "managed_entity" } }

Component "echo.localhost"
	component_secret = "$secret"
	component_conflict_resolve = "kick_old"

Component "probe.localhost"
	component_secret = "$secret"
	component_conflict_resolve = "kick_old"

Component "one.localhost"
	component_secret = "$secret"
	component_conflict_resolve = "kick_old"

-- The default: whoever was there first stays.
Component "two.localhost"
	component_secret = "$secret"
	component_conflict_resolve = "kick_new"

Component "three.localhost"
	component_secret = "$secret"

-- It may read rosters and see who is online (XEP-0356).
Component "trusted.localhost"
	component_secret = "$secret"
	modules_enabled  = { "privilege" }

-- Files (XEP-0363), over HTTP without TLS: it is on loopback alone.
Component "upload.localhost" "http_file_share"
	http_host         = "127.0.0.1"
	http_external_url = "http://127.0.0.1:$http/"

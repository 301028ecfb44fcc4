"""The peers' configuration files: texts to be filled in by contenders.py."""

# HAProxy as Patroni's documentation sets it up, but asking every second as isari does.
HAPROXY = """global
	nbthread 1
	maxconn {sessions}
	stats socket {socket}
{tuning}defaults
	mode tcp
	maxconn {sessions}
	timeout connect 1s
	timeout client 1h
	timeout server 1h
	timeout check 3s
{splice}"""
HAPROXY_PORT = """listen {name}
	bind 127.0.0.1:{port}
	option httpchk OPTIONS /{path}
	http-check expect status 200
	default-server inter 1s fall 3 rise 1 on-marked-down shutdown-sessions
{servers}"""
HAPROXY_METRICS = """frontend metrics
	bind 127.0.0.1:{port}
	mode http
	http-request use-service prometheus-exporter
"""

NGINX = """load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user {user};
worker_processes 1;
worker_rlimit_nofile {files};
error_log stderr crit;
pid {dir}/pid;
events {{ worker_connections {files}; }}
stream {{
	access_log off;
	proxy_timeout 1h;
	proxy_connect_timeout 1s;
{tuning}	server {{ listen 127.0.0.1:{port} backlog=8192; proxy_pass {server}; }}
}}
"""

PGBOUNCER = """[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
listen_backlog = 8192
unix_socket_dir =
auth_type = trust
auth_file = {dir}/users
pool_mode = session
max_client_conn = {sessions}
default_pool_size = {sessions}
server_idle_timeout = 3600
log_connections = 0
log_disconnections = 0
log_stats = 0
ignore_startup_parameters = extra_float_digits
"""

#include "pipeline/rpc/core.h"
#include "pipeline/rpc/own_writes.h"
#include "pipeline/rpc/subscription.h"

static hn_rpc_config with_defaults(const hn_rpc_config *config)
{
    hn_rpc_config full = *config;
#define DEFAULT(member, value) full.member = full.member != 0 ? full.member : (value)
    DEFAULT(body_bytes_max, 5 * 1024 * 1024);
    DEFAULT(header_bytes_max, 64 * 1024);
    DEFAULT(response_bytes_max, 64 * 1024 * 1024);
    DEFAULT(batch_max, 1000);
    DEFAULT(json_depth_max, 64);
    DEFAULT(connections_max, 16384);
    DEFAULT(connections_per_address_max, 4096);
    DEFAULT(in_flight_max, 16384);
    DEFAULT(idle_timeout_ms, 60000);
    DEFAULT(header_timeout_ms, 10000);
    DEFAULT(body_timeout_ms, 30000);
    DEFAULT(write_timeout_ms, 60000);
    DEFAULT(handshake_timeout_ms, 10000);
    DEFAULT(input_bytes_max, 1024 * 1024 * 1024);
    DEFAULT(answers_bytes_max, 1024 * 1024 * 1024);
    DEFAULT(submit_timeout_ms, 5000);
    DEFAULT(own_writes_timeout_ms, 250);
    DEFAULT(call_timeout_ms, 5000);
    DEFAULT(logs_max, 10000);
    DEFAULT(session_calls_max, 256);
    DEFAULT(session_bytes_max, 16 * 1024 * 1024);
    DEFAULT(sessions_bytes_max, 1024 * 1024 * 1024);
    DEFAULT(session_ping_ms, 30000);
    DEFAULT(subscriptions_max, 1000);
    DEFAULT(filters_max, 1000);
    DEFAULT(filter_timeout_ms, 300000);
#undef DEFAULT
    if (full.address == NULL)
        full.address = "127.0.0.1";
    if (full.allowed_hosts == NULL)
        full.allowed_hosts = "localhost";
    return full;
}

hn_err hn_rpc_core_init(hn_rpc_core *core, const hn_rpc_config *config, const hn_backend *backend)
{
    *core = (hn_rpc_core){.config = with_defaults(config), .backend = backend};
    HN_TRY(hn_history_reader_create(&core->reader, backend->history));
    HN_TRY(hn_rpc_in_flight_create(core));
    HN_TRY(hn_rpc_own_writes_create(core));
    return hn_rpc_feeds_create(core);
}

void hn_rpc_core_destroy(hn_rpc_core *core)
{
    hn_rpc_exchanges_destroy(core);
    hn_rpc_feeds_destroy(core);
    hn_rpc_own_writes_destroy(core);
    hn_rpc_in_flight_destroy(core);
    hn_history_reader_destroy(core->reader);
}

/* eth_subscribe and eth_unsubscribe. */
#include "pipeline/rpc/subscription.h"

static const char *const names[HN_RPC_SUBSCRIPTION_KINDS] = {
#define NAME(kind, name) name,
    HN_RPC_SUBSCRIPTION_LIST(NAME)
#undef NAME
};

/* False: the session cannot be told anything, and the call was failed. */
static bool has_session(hn_rpc_call *call)
{
    if (call->session != NULL)
        return true;
    hn_rpc_fail(call, HN_RPC_METHOD_NOT_FOUND, "notifications not supported");
    return false;
}

/* Reads what follows the kind; NULL when it is good. */
static hn_rpc_complaint read_options(hn_rpc_subscription *subscription, const hn_rpc_value *value)
{
    const cJSON *json = value->is_present ? value->json : NULL;
    if (json == NULL)
        return NULL;
    switch (subscription->kind) {
    case HN_RPC_SUBSCRIPTION_LOGS:
        return hn_rpc_read_log_request(&subscription->request, &subscription->arena, json);
    case HN_RPC_SUBSCRIPTION_PENDING:
        subscription->wants_full = cJSON_IsTrue(json) != 0;
        return cJSON_IsBool(json) ? NULL : hn_rpc_wrong_kind(json, "bool");
    default:
        /* Some clients give an empty object. */
        return cJSON_IsObject(json) && json->child == NULL ? NULL : "too many arguments, want at most 1";
    }
}

/* The block behind the newest that is visible. */
static hn_err next_block_of(hn_rpc_call *call, uint64_t *out)
{
    hn_history_reader *reader = call->core->reader;
    uint64_t oldest, newest = 0;
    HN_TRY(hn_history_read_begin(reader));
    hn_err err = hn_history_range(reader, &oldest, &newest, call->ledger);
    hn_history_read_end(reader);
    if (err == HN_OK)
        *out = newest + 1;
    return err;
}

static void subscribe(hn_rpc_call *call, hn_rpc_subscription_kind kind)
{
    if (call->session->subscription_count >= call->core->config.subscriptions_max) {
        hn_rpc_fail(call, HN_RPC_LIMIT_EXCEEDED, "too many subscriptions: at most %u of a connection",
                    call->core->config.subscriptions_max);
        return;
    }
    uint64_t next_block = 0;
    hn_err err = next_block_of(call, &next_block);
    if (err != HN_OK) {
        hn_rpc_fail_err(call, err);
        return;
    }
    hn_rpc_subscription *subscription = hn_rpc_subscription_create(call, kind);
    if (subscription == NULL) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return;
    }
    hn_rpc_complaint complaint = read_options(subscription, &call->params[1]);
    if (complaint != NULL) {
        hn_rpc_subscription_destroy(subscription);
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 1: %s", complaint);
        return;
    }
    hn_rpc_subscription_add(subscription, next_block);
    hn_json_text(hn_rpc_result(call), subscription->id, strlen(subscription->id));
    hn_rpc_done(call);
}

void hn_rpc_eth_subscribe(hn_rpc_call *call)
{
    if (!has_session(call))
        return;
    if (!cJSON_IsString(call->params[0].json)) {
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "expected subscription name as first argument");
        return;
    }
    const char *name = call->params[0].json->valuestring;
    for (size_t kind = 0; kind < HN_RPC_SUBSCRIPTION_KINDS; kind++) {
        if (strcmp(names[kind], name) == 0) {
            subscribe(call, (hn_rpc_subscription_kind)kind);
            return;
        }
    }
    hn_rpc_fail(call, HN_RPC_METHOD_NOT_FOUND, "no \"%.64s\" subscription in eth namespace", name);
}

void hn_rpc_eth_unsubscribe(hn_rpc_call *call)
{
    if (!has_session(call))
        return;
    if (!hn_rpc_subscription_remove(call->session, call->params[0].json->valuestring)) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "subscription not found");
        return;
    }
    hn_json_bool(hn_rpc_result(call), true);
    hn_rpc_done(call);
}

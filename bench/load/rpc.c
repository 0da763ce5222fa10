#include "bench/load/rpc.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CALLS_PER_POST = 100,
    ANSWER_BYTES_MAX = 64 * 1024 * 1024,
    TIMEOUT_S = 30,
};

struct hn_load_rpc {
    CURL *curl;
    struct curl_slist *headers;
    char *answer;
    size_t answer_size;
    size_t answer_room;
    char *body; /* of hn_load_rpc_call_all */
    hn_json_problem problem;
    char curl_problem[CURL_ERROR_SIZE];
};

static size_t take_answer(char *data, size_t one, size_t size, void *self)
{
    hn_load_rpc *rpc = self;
    (void)one;
    if (rpc->answer_size + size > ANSWER_BYTES_MAX)
        return 0;
    if (rpc->answer_size + size > rpc->answer_room) {
        size_t room = 2 * (rpc->answer_size + size) + 4096;
        char *grown = realloc(rpc->answer, room);
        if (grown == NULL)
            return 0;
        rpc->answer = grown;
        rpc->answer_room = room;
    }
    memcpy(rpc->answer + rpc->answer_size, data, size);
    rpc->answer_size += size;
    return size;
}

hn_err hn_load_rpc_open(hn_load_rpc **out, const char *url)
{
    hn_load_rpc *rpc = calloc(1, sizeof *rpc);
    if (rpc == NULL)
        return HN_ERR_NO_MEMORY;
    rpc->curl = curl_easy_init();
    rpc->headers = curl_slist_append(NULL, "Content-Type: application/json");
    rpc->body = malloc(CALLS_PER_POST * (HN_LOAD_RPC_PARAMETERS_MAX + 128) + 16);
    if (rpc->curl == NULL || rpc->headers == NULL || rpc->body == NULL) {
        hn_load_rpc_close(rpc);
        return HN_ERR_NO_MEMORY;
    }
    (void)curl_easy_setopt(rpc->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_HTTPHEADER, rpc->headers);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_WRITEDATA, rpc);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_ERRORBUFFER, rpc->curl_problem);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_FAILONERROR, 1L);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_NOSIGNAL, 1L);
    *out = rpc;
    return HN_OK;
}

void hn_load_rpc_close(hn_load_rpc *rpc)
{
    if (rpc == NULL)
        return;
    if (rpc->curl != NULL)
        curl_easy_cleanup(rpc->curl);
    curl_slist_free_all(rpc->headers);
    free(rpc->answer);
    free(rpc->body);
    free(rpc);
}

const char *hn_load_rpc_problem(const hn_load_rpc *rpc)
{
    return rpc->problem.text;
}

hn_err hn_load_rpc_post(hn_bytes *out, hn_load_rpc *rpc, const char *body, size_t size)
{
    rpc->answer_size = 0;
    rpc->curl_problem[0] = '\0';
    (void)curl_easy_setopt(rpc->curl, CURLOPT_POSTFIELDS, body);
    (void)curl_easy_setopt(rpc->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    CURLcode code = curl_easy_perform(rpc->curl);
    if (code != CURLE_OK) {
        (void)snprintf(rpc->problem.text, sizeof rpc->problem.text, "%s",
                       rpc->curl_problem[0] != '\0' ? rpc->curl_problem : curl_easy_strerror(code));
        return HN_ERR_IO;
    }
    *out = hn_bytes_of(rpc->answer, rpc->answer_size);
    return HN_OK;
}

static size_t write_calls(hn_load_rpc *rpc, const hn_load_rpc_calls *calls, uint64_t begin, uint64_t count)
{
    char *to = rpc->body;
    *to++ = '[';
    for (uint64_t i = 0; i < count; i++) {
        char parameters[HN_LOAD_RPC_PARAMETERS_MAX];
        calls->parameters(calls->context, parameters, begin + i);
        to += sprintf(to, "%s{\"jsonrpc\":\"2.0\",\"id\":%lu,\"method\":\"%s\",\"params\":%s}",
                      i == 0 ? "" : ",", (unsigned long)i, calls->method, parameters);
    }
    *to++ = ']';
    return (size_t)(to - rpc->body);
}

static hn_err read_answer(hn_load_rpc *rpc, const hn_load_rpc_calls *calls, uint64_t begin,
                          const hn_json *answer)
{
    hn_json id, error, message, result;
    uint64_t index;
    HN_TRY(hn_json_get(&id, answer, "id"));
    HN_TRY(hn_json_read_number_u64(&index, &id));
    if (index >= calls->count - begin)
        return hn_json_fail(&id, HN_ERR_INVALID, "no such call");
    if (hn_json_find(&error, answer, "error")) {
        const char *text = "error without a message";
        if (hn_json_find(&message, &error, "message"))
            HN_TRY(hn_json_read_string(&text, &message));
        (void)snprintf(rpc->problem.text, sizeof rpc->problem.text, "%s: %s", calls->method, text);
        return HN_ERR_INVALID;
    }
    HN_TRY(hn_json_get(&result, answer, "result"));
    return calls->result(calls->context, begin + index, &result);
}

static hn_err call_some(hn_load_rpc *rpc, const hn_load_rpc_calls *calls, uint64_t begin, uint64_t count)
{
    static const hn_json_limits limits = {.size_max = ANSWER_BYTES_MAX, .depth_max = 32};
    hn_bytes text;
    HN_TRY(hn_load_rpc_post(&text, rpc, rpc->body, write_calls(rpc, calls, begin, count)));
    hn_json_document document;
    HN_TRY(hn_json_parse(&document, &rpc->problem, text, &limits));
    hn_json root = hn_json_root(&document, &rpc->problem);
    hn_err err = HN_OK;
    if (hn_json_is_object(&root))
        err = read_answer(rpc, calls, begin, &root); /* an error about the whole batch */
    else if (hn_json_size(&root) != count)
        err = hn_json_fail(&root, HN_ERR_INVALID, "%zu answers to %lu calls", hn_json_size(&root),
                           (unsigned long)count);
    for (size_t i = 0; err == HN_OK && i < hn_json_size(&root); i++) {
        hn_json answer = hn_json_at(&root, i);
        err = read_answer(rpc, calls, begin, &answer);
    }
    hn_json_free(&document);
    return err;
}

hn_err hn_load_rpc_call_all(hn_load_rpc *rpc, const hn_load_rpc_calls *calls)
{
    for (uint64_t begin = 0; begin < calls->count; begin += CALLS_PER_POST) {
        uint64_t left = calls->count - begin;
        HN_TRY(call_some(rpc, calls, begin, left < CALLS_PER_POST ? left : (uint64_t)CALLS_PER_POST));
    }
    return HN_OK;
}

typedef struct single_call {
    const char *parameters;
    hn_u256 *out;
} single_call;

static void single_parameters(void *self, char out[HN_LOAD_RPC_PARAMETERS_MAX], uint64_t index)
{
    const single_call *call = self;
    (void)index;
    (void)snprintf(out, HN_LOAD_RPC_PARAMETERS_MAX, "%s", call->parameters);
}

static hn_err single_result(void *self, uint64_t index, const hn_json *result)
{
    const single_call *call = self;
    (void)index;
    return hn_json_read_quantity_u256(call->out, result);
}

hn_err hn_load_rpc_quantity(hn_u256 *out, hn_load_rpc *rpc, const char *method, const char *parameters)
{
    single_call call = {.parameters = parameters, .out = out};
    hn_load_rpc_calls calls = {.method = method,
                               .count = 1,
                               .context = &call,
                               .parameters = single_parameters,
                               .result = single_result};
    return hn_load_rpc_call_all(rpc, &calls);
}

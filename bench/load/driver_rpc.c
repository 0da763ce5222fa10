/* Sending by eth_sendRawTransaction: several connections, each with one request at a time of one or more
 * calls. */
#include "bench/load/clock.h"
#include "bench/load/driver.h"
#include "engine/codec/hex.h"
#include "engine/codec/json.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CALL_BYTES = 128, /* of one call, without the transaction */
    ANSWER_BYTES_PER_CALL = 1024,
};

static const uint64_t second_ns = UINT64_C(1000000000);

typedef struct connection {
    CURL *curl;
    bool is_busy;
    uint64_t *indices; /* of the transactions in the request; their place is the call's id */
    uint64_t count;
    bool *is_answered;
    char *body;
    size_t body_room;
    char *answer;
    size_t answer_size;
    size_t answer_room;
} connection;

typedef struct driver {
    hn_load_run *run;
    CURLM *multi;
    struct curl_slist *headers;
    uint64_t connection_count;
    connection *connections;
    uint64_t now_ns;
} driver;

static size_t take_answer(char *data, size_t one, size_t size, void *self)
{
    connection *c = self;
    (void)one;
    if (size > c->answer_room - c->answer_size)
        return 0;
    memcpy(c->answer + c->answer_size, data, size);
    c->answer_size += size;
    return size;
}

static hn_err open_connection(driver *d, connection *c)
{
    const hn_load_options *options = d->run->options;
    size_t largest = 0;
    for (uint64_t i = 0; i < d->run->batch->count; i++) {
        size_t size = hn_load_batch_at(d->run->batch, i).size;
        largest = size > largest ? size : largest;
    }
    c->body_room = options->batch * (CALL_BYTES + 2 * largest) + 16;
    c->answer_room = options->batch * ANSWER_BYTES_PER_CALL + 4096;
    c->indices = calloc(options->batch, sizeof *c->indices);
    c->is_answered = calloc(options->batch, sizeof *c->is_answered);
    c->body = malloc(c->body_room);
    c->answer = malloc(c->answer_room);
    c->curl = curl_easy_init();
    if (c->indices == NULL || c->is_answered == NULL || c->body == NULL || c->answer == NULL ||
        c->curl == NULL)
        return HN_ERR_NO_MEMORY;
    (void)curl_easy_setopt(c->curl, CURLOPT_URL, options->rpc);
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, d->headers);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    (void)curl_easy_setopt(c->curl, CURLOPT_PRIVATE, c);
    (void)curl_easy_setopt(c->curl, CURLOPT_FAILONERROR, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)options->timeout_s);
    return HN_OK;
}

static hn_err open_driver(driver *d)
{
    d->connection_count = d->run->options->connections;
    d->connections = calloc(d->connection_count, sizeof *d->connections);
    d->multi = curl_multi_init();
    d->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (d->connections == NULL || d->multi == NULL || d->headers == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint64_t i = 0; i < d->connection_count; i++)
        HN_TRY(open_connection(d, &d->connections[i]));
    return HN_OK;
}

static void close_driver(driver *d)
{
    for (uint64_t i = 0; d->connections != NULL && i < d->connection_count; i++) {
        connection *c = &d->connections[i];
        if (c->is_busy)
            (void)curl_multi_remove_handle(d->multi, c->curl);
        if (c->curl != NULL)
            curl_easy_cleanup(c->curl);
        free(c->indices);
        free(c->is_answered);
        free(c->body);
        free(c->answer);
    }
    if (d->multi != NULL)
        (void)curl_multi_cleanup(d->multi);
    curl_slist_free_all(d->headers);
    free(d->connections);
}

/* Fills an idle connection's request with what may go now. False: nothing may. */
static bool start_request(driver *d, connection *c)
{
    char *to = c->body;
    c->count = 0;
    for (uint64_t index;
         c->count < d->run->options->batch && hn_load_pacer_next(&d->run->pacer, &index, d->now_ns);) {
        hn_bytes raw = hn_load_batch_at(d->run->batch, index);
        to += sprintf(
            to, "%c{\"jsonrpc\":\"2.0\",\"id\":%lu,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x",
            c->count == 0 ? '[' : ',', (unsigned long)c->count);
        to = hn_hex_encode(to, raw.data, raw.size);
        to += sprintf(to, "\"]}");
        c->is_answered[c->count] = false;
        c->indices[c->count++] = index;
    }
    if (c->count == 0)
        return false;
    *to++ = ']';
    char *begin = c->body;
    if (c->count == 1) { /* one call alone is no batch */
        begin++;
        to--;
    }
    c->answer_size = 0;
    c->is_busy = true;
    (void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, begin);
    (void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(to - begin));
    (void)curl_multi_add_handle(d->multi, c->curl);
    return true;
}

static void take_error(driver *d, uint64_t index, const char *message)
{
    /* What a node says when it is worth trying again; the words are those of the usual pools. */
    static const char *const passing[] = {"at its limit", "is full", "too many pending",
                                          "takes no transactions"};
    hn_load_answer answer = HN_LOAD_ANSWER_FAILED;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (strstr(message, passing[i]) != NULL)
            answer = HN_LOAD_ANSWER_RETRY;
    bool is_repetition = hn_load_pacer_tries(&d->run->pacer, index) > 1;
    if (is_repetition &&
        (strstr(message, "already known") != NULL || strstr(message, "nonce too low") != NULL))
        answer = HN_LOAD_ANSWER_DONE;
    hn_load_pacer_answer(&d->run->pacer, index, answer, message, d->now_ns);
}

static void read_answer(driver *d, connection *c, const hn_json *answer)
{
    hn_json id, error, text;
    uint64_t place;
    if (hn_json_get(&id, answer, "id") != HN_OK || hn_json_read_number_u64(&place, &id) != HN_OK ||
        place >= c->count || c->is_answered[place])
        return;
    c->is_answered[place] = true;
    const char *message;
    if (!hn_json_find(&error, answer, "error"))
        hn_load_pacer_answer(&d->run->pacer, c->indices[place], HN_LOAD_ANSWER_DONE, "", d->now_ns);
    else {
        if (hn_json_get(&text, &error, "message") != HN_OK || hn_json_read_string(&message, &text) != HN_OK)
            message = "error without a message";
        take_error(d, c->indices[place], message);
    }
}

static void finish_request(driver *d, connection *c, CURLcode code)
{
    (void)curl_multi_remove_handle(d->multi, c->curl);
    c->is_busy = false;
    const hn_json_limits limits = {.size_max = c->answer_room, .depth_max = 16};
    hn_json_document document;
    if (code == CURLE_OK &&
        hn_json_parse(&document, NULL, hn_bytes_of(c->answer, c->answer_size), &limits) == HN_OK) {
        hn_json root = hn_json_root(&document, NULL);
        if (hn_json_is_object(&root))
            read_answer(d, c, &root);
        for (size_t i = 0; i < hn_json_size(&root) && !hn_json_is_object(&root); i++) {
            hn_json answer = hn_json_at(&root, i);
            read_answer(d, c, &answer);
        }
        hn_json_free(&document);
    }
    for (uint64_t i = 0; i < c->count; i++)
        if (!c->is_answered[i])
            hn_load_pacer_answer(&d->run->pacer, c->indices[i], HN_LOAD_ANSWER_RETRY,
                                 code == CURLE_OK ? "no answer to this call" : curl_easy_strerror(code),
                                 d->now_ns);
}

static void wait(driver *d)
{
    uint64_t next = hn_load_pacer_next_ns(&d->run->pacer);
    bool is_idle = false;
    for (uint64_t i = 0; i < d->connection_count; i++)
        is_idle |= !d->connections[i].is_busy;
    int pause_ms = 100;
    if (is_idle && next < d->now_ns + 100 * 1000000)
        pause_ms = next > d->now_ns ? (int)((next - d->now_ns) / 1000000) : 0;
    (void)curl_multi_poll(d->multi, NULL, 0, pause_ms, NULL);
}

static hn_err run_loop(driver *d)
{
    uint64_t shown_ns = hn_load_now_ns(), shown_done = 0;
    hn_load_pacer_start(&d->run->pacer, shown_ns);
    while (!hn_load_pacer_is_finished(&d->run->pacer)) {
        d->now_ns = hn_load_now_ns();
        for (uint64_t i = 0; i < d->connection_count; i++)
            if (!d->connections[i].is_busy && !start_request(d, &d->connections[i]))
                break;
        int running, left;
        (void)curl_multi_perform(d->multi, &running);
        d->now_ns = hn_load_now_ns();
        bool is_any = false;
        for (CURLMsg *message; (message = curl_multi_info_read(d->multi, &left)) != NULL;) {
            if (message->msg != CURLMSG_DONE)
                continue;
            CURLcode code = message->data.result;
            connection *c;
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &c);
            finish_request(d, c, code);
            is_any = true;
        }
        hn_load_show_progress(d->run, &shown_ns, &shown_done, d->now_ns);
        if (d->now_ns - d->run->pacer.last_progress_ns > d->run->options->timeout_s * second_ns) {
            (void)fprintf(stderr, "hanse load: %s: no answer for %lu s\n", d->run->options->rpc,
                          (unsigned long)d->run->options->timeout_s);
            return HN_ERR_TIMEOUT;
        }
        if (!is_any)
            wait(d);
    }
    return HN_OK;
}

hn_err hn_load_run_rpc(hn_load_run *run)
{
    driver d = {.run = run};
    hn_err err = open_driver(&d);
    if (err == HN_OK)
        err = run_loop(&d);
    close_driver(&d);
    return err;
}

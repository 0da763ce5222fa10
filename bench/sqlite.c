/* Durable payments in SQLite, the way a program uses it at its best: one connection, statements prepared
 * once, write-ahead log, synchronous=FULL, so that each commit waits for the disk.
 *
 *   bench_sqlite FOLDER ACCOUNTS SECONDS      prints payments a second, p50, p99 and p99.9 in us
 */
#include "bench/load/clock.h"
#include "engine/base/prng.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { LATENCIES_MAX = 4 * 1024 * 1024, PATH_BYTES = 4096 };

typedef struct store {
    sqlite3 *database;
    sqlite3_stmt *begin, *take, *give, *note, *commit;
} store;

static void check(const store *self, int status, int expected, const char *what)
{
    if (status == expected)
        return;
    fprintf(stderr, "bench_sqlite: %s: %s\n", what, sqlite3_errmsg(self->database));
    exit(1);
}

static void run(store *self, const char *text)
{
    check(self, sqlite3_exec(self->database, text, NULL, NULL, NULL), SQLITE_OK, text);
}

static sqlite3_stmt *prepare(store *self, const char *text)
{
    sqlite3_stmt *statement;
    check(self, sqlite3_prepare_v2(self->database, text, -1, &statement, NULL), SQLITE_OK, text);
    return statement;
}

static void step(store *self, sqlite3_stmt *statement)
{
    check(self, sqlite3_step(statement), SQLITE_DONE, "step");
    check(self, sqlite3_reset(statement), SQLITE_OK, "reset");
}

static void open_store(store *self, const char *folder, unsigned long accounts)
{
    char path[PATH_BYTES], text[256];
    snprintf(path, sizeof path, "%s/payments.db", folder);
    check(self, sqlite3_open(path, &self->database), SQLITE_OK, path);
    run(self, "pragma journal_mode=wal; pragma synchronous=full;"
              "create table account (id integer primary key, balance integer not null);"
              "create table ledger (id integer primary key, payer int, payee int, amount int,"
              " at int default (unixepoch()));");
    snprintf(
        text, sizeof text,
        "insert into account with recursive n(i) as (select 1 union all select i + 1 from n where i < %lu)"
        " select i, 1000000000 from n;",
        accounts);
    run(self, text);
    self->begin = prepare(self, "begin immediate");
    self->take = prepare(self, "update account set balance = balance - 1 where id = ?");
    self->give = prepare(self, "update account set balance = balance + 1 where id = ?");
    self->note = prepare(self, "insert into ledger (payer, payee, amount) values (?, ?, 1)");
    self->commit = prepare(self, "commit");
}

static void pay(store *self, int64_t payer, int64_t payee)
{
    step(self, self->begin);
    sqlite3_bind_int64(self->take, 1, payer);
    step(self, self->take);
    sqlite3_bind_int64(self->give, 1, payee);
    step(self, self->give);
    sqlite3_bind_int64(self->note, 1, payer);
    sqlite3_bind_int64(self->note, 2, payee);
    step(self, self->note);
    step(self, self->commit);
}

static void close_store(store *self)
{
    sqlite3_stmt *const statements[] = {self->begin, self->take, self->give, self->note, self->commit};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(self->database);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

int main(int argc, char **argv)
{
    unsigned long accounts = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned long seconds = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (accounts == 0 || seconds == 0) {
        fprintf(stderr, "usage: bench_sqlite FOLDER ACCOUNTS SECONDS\n");
        return 2;
    }
    store self = {0};
    open_store(&self, argv[1], accounts);
    uint64_t *latencies_ns = malloc(LATENCIES_MAX * sizeof *latencies_ns);
    if (latencies_ns == NULL)
        return 1;
    hn_prng prng;
    hn_prng_init(&prng, 1);
    uint64_t start_ns = hn_load_now_ns(), now_ns = start_ns, end_ns = start_ns + seconds * 1000000000;
    size_t count = 0;
    while (now_ns < end_ns && count < LATENCIES_MAX) {
        pay(&self, 1 + (int64_t)hn_prng_below(&prng, accounts), 1 + (int64_t)hn_prng_below(&prng, accounts));
        uint64_t then_ns = hn_load_now_ns();
        latencies_ns[count++] = then_ns - now_ns;
        now_ns = then_ns;
    }
    qsort(latencies_ns, count, sizeof *latencies_ns, compare);
    printf("%.1f", (double)count * 1e9 / (double)(now_ns - start_ns));
    static const size_t PER_MILLE[] = {500, 990, 999};
    for (size_t i = 0; i < sizeof PER_MILLE / sizeof *PER_MILLE; i++) {
        size_t index = count * PER_MILLE[i] / 1000;
        printf(" %.1f", (double)latencies_ns[index] / 1e3);
    }
    putchar('\n');
    free(latencies_ns);
    close_store(&self);
    return 0;
}

#include "pipeline/cli/verify_progress.h"

#include "engine/base/hash_table.h"
#include "pipeline/core/core.h"
#include "pipeline/io/uring_io.h"
#include "shard/log/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORD_BYTES_MAX = 64 * 1024 * 1024, SNAPSHOTS_MAX = 64, KEPT = 2 };

static const char progress_name[] = "progress", progress_new[] = "progress.new";
static const uint64_t progress_magic = UINT64_C(0x314659524556484e); /* "NHVERYF1" */
static const uint64_t save_after_ns = UINT64_C(60000000000);
static const uint64_t tell_after_ns = UINT64_C(1000000000);
enum { COST_FACTOR = 20 };

/* The file is a head, a record for each ledger, the findings, and the checksum of all that. */
typedef struct progress_head {
    uint64_t magic;
    uint64_t frame_index;
    hn_hash chain;
    uint64_t frames;
    uint64_t transactions;
    uint64_t finding_count;
    uint32_t kept_count;
    uint32_t ledger_count;
} progress_head;

typedef struct progress_ledger {
    char name[64];
    uint64_t blocks;
    uint64_t transactions;
    uint64_t skipped;
    uint64_t compared;
} progress_ledger;

/* --- ledgers
 * -------------------------------------------------------------------------------------------------- */

void hn_verified_ledger_begin(hn_verified_ledger *ledger, const char *name, const hn_genesis *genesis,
                              const hn_hash *genesis_hash)
{
    ledger->name = name;
    ledger->chain_id = genesis->config.chain_id;
    ledger->genesis_hash = *genesis_hash;
    ledger->head_number = 0;
    ledger->hashes[0] = *genesis_hash;
}

void hn_verified_ledger_note(hn_verified_ledger *ledger, const hn_executed_block *block)
{
    ledger->blocks++;
    ledger->head_number = block->header.number;
    ledger->hashes[block->header.number % HN_SNAPSHOT_HASHES_MAX] = block->hash;
    ledger->has_uncles = !hn_u256_is_zero(&block->header.difficulty);
}

static hn_err save_ledger(const hn_io *io, hn_verify_progress *progress, const hn_verified_ledger *ledger,
                          const hn_replay_ledger *replayed)
{
    hn_snapshot_info *info = calloc(1, sizeof *info);
    if (info == NULL)
        return HN_ERR_NO_MEMORY;
    hn_hash hash;
    info->head = *hn_sealer_head(replayed->sealer, &hash);
    info->chain_id = ledger->chain_id;
    info->genesis_hash = ledger->genesis_hash;
    info->log_index = progress->frame_index;
    snprintf(info->ledger_name, sizeof info->ledger_name, "%s", ledger->name);
    uint64_t known = ledger->head_number + 1;
    info->recent_hash_count =
        known < HN_SNAPSHOT_HASHES_MAX ? (uint32_t)known : (uint32_t)HN_SNAPSHOT_HASHES_MAX;
    for (uint32_t i = 0; i < info->recent_hash_count; i++)
        info->recent_hashes[i] = ledger->hashes[(ledger->head_number - i) % HN_SNAPSHOT_HASHES_MAX];
    hn_snapshot_problem why = {.text = ""};
    hn_err err = hn_snapshot_write(io, &why, info, hn_ledger_flat(replayed->executor));
    if (err != HN_OK)
        snprintf(progress->trouble, sizeof progress->trouble, "%.480s", why.text);
    free(info);
    return err;
}

static hn_err load_ledger(const hn_io *io, hn_verify_progress *progress, hn_verified_ledger *ledger,
                          hn_replay_ledger *replayed, hn_arena *arena)
{
    hn_snapshot_problem why = {.text = ""};
    hn_snapshot_info *info = calloc(1, sizeof *info);
    hn_flat *flat = NULL;
    if (info == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = hn_snapshot_load(io, &why, info, &flat, arena, ledger->name, progress->frame_index, 0);
    if (err != HN_OK)
        snprintf(progress->trouble, sizeof progress->trouble, "%.480s", why.text);
    if (err == HN_OK && !hn_hash_equal(&info->genesis_hash, &ledger->genesis_hash))
        err = HN_ERR_MISMATCH;
    if (err == HN_OK)
        err = hn_sealer_restore(replayed->sealer, flat, &info->head);
    if (err != HN_OK && flat != NULL)
        hn_flat_destroy(flat);
    if (err == HN_OK)
        err = hn_ledger_restore(replayed->executor, flat, &info->head, info->recent_hashes,
                                info->recent_hash_count);
    if (err == HN_OK) {
        replayed->skip_index = info->log_index;
        ledger->head_number = info->head.number;
        for (uint32_t i = 0; i < info->recent_hash_count; i++)
            ledger->hashes[(info->head.number - i) % HN_SNAPSHOT_HASHES_MAX] = info->recent_hashes[i];
    }
    free(info);
    return err;
}

/* --- the file
 * ------------------------------------------------------------------------------------------------- */

static hn_err write_record(const hn_io *io, const hn_verify_progress *progress,
                           hn_verified_ledger *const *ledgers, uint32_t count)
{
    size_t size = sizeof(progress_head) + count * sizeof(progress_ledger) +
                  (size_t)progress->kept_count * HN_VERIFY_FINDING_BYTES;
    uint8_t *record = calloc(1, size + sizeof(hn_checksum));
    if (record == NULL)
        return HN_ERR_NO_MEMORY;
    const progress_head head = {
        .magic = progress_magic,
        .frame_index = progress->frame_index,
        .chain = progress->chain,
        .frames = progress->frames,
        .transactions = progress->transactions,
        .finding_count = progress->finding_count,
        .kept_count = progress->kept_count,
        .ledger_count = count,
    };
    memcpy(record, &head, sizeof head);
    for (uint32_t i = 0; i < count; i++) {
        progress_ledger one = {.blocks = ledgers[i]->blocks,
                               .transactions = ledgers[i]->transactions,
                               .skipped = ledgers[i]->skipped,
                               .compared = ledgers[i]->compared};
        snprintf(one.name, sizeof one.name, "%s", ledgers[i]->name);
        memcpy(record + sizeof head + i * sizeof one, &one, sizeof one);
    }
    memcpy(record + sizeof head + count * sizeof(progress_ledger), progress->findings,
           (size_t)progress->kept_count * HN_VERIFY_FINDING_BYTES);
    hn_checksum sum = hn_checksum_of(record, size);
    memcpy(record + size, &sum, sizeof sum);
    hn_io_file file;
    (void)!io->operations->remove(io->self, progress_new);
    hn_err err = io->operations->open(io->self, &file, progress_new, HN_IO_CREATE);
    if (err == HN_OK) {
        err = io->operations->write(io->self, file, 0, hn_bytes_of(record, size + sizeof sum));
        if (err == HN_OK)
            err = io->operations->sync(io->self, file);
        io->operations->close(io->self, file);
    }
    free(record);
    HN_TRY(err);
    HN_TRY(io->operations->rename(io->self, progress_new, progress_name));
    return io->operations->sync_directory(io->self);
}

/* *out is the caller's to free. */
static hn_err read_record(const hn_io *io, uint8_t **out, progress_head *head)
{
    hn_io_file file;
    uint64_t size = 0;
    HN_TRY(io->operations->open(io->self, &file, progress_name, HN_IO_READ));
    uint8_t *record = NULL;
    hn_err err = io->operations->size(io->self, &size, file);
    if (err == HN_OK && (size < sizeof *head + sizeof(hn_checksum) || size > RECORD_BYTES_MAX))
        err = HN_ERR_CORRUPT;
    if (err == HN_OK && (record = malloc(size)) == NULL)
        err = HN_ERR_NO_MEMORY;
    if (err == HN_OK)
        err = io->operations->read(io->self, record, file, 0, size);
    io->operations->close(io->self, file);
    if (err == HN_OK) {
        hn_checksum sum = hn_checksum_of(record, size - sizeof sum);
        memcpy(head, record, sizeof *head);
        if (memcmp(record + size - sizeof sum, &sum, sizeof sum) != 0 || head->magic != progress_magic ||
            head->kept_count > HN_VERIFY_FINDINGS_KEPT || head->ledger_count > HN_VERIFY_LEDGERS_MAX ||
            size != sizeof *head + head->ledger_count * sizeof(progress_ledger) +
                        (size_t)head->kept_count * HN_VERIFY_FINDING_BYTES + sizeof sum)
            err = HN_ERR_CORRUPT;
    }
    if (err != HN_OK) {
        free(record);
        return err;
    }
    *out = record;
    return HN_OK;
}

/* --- all of it
 * ------------------------------------------------------------------------------------------------ */

void hn_verify_progress_begin(hn_verify_progress *progress, const char *directory, const char *folder)
{
    size_t size = strlen(directory);
    while (size > 1 && directory[size - 1] == '/')
        size--;
    if (folder != NULL)
        snprintf(progress->folder, sizeof progress->folder, "%s", folder);
    else
        snprintf(progress->folder, sizeof progress->folder, "%.*s.verify", (int)size, directory);
    progress->saved_ns = hn_clock_monotonic_ns();
}

void hn_verify_progress_add(hn_verify_progress *progress, const char *finding)
{
    progress->finding_count++;
    if (progress->kept_count < HN_VERIFY_FINDINGS_KEPT)
        snprintf(progress->findings[progress->kept_count++], HN_VERIFY_FINDING_BYTES, "%s", finding);
}

bool hn_verify_progress_is_due(const hn_verify_progress *progress)
{
    uint64_t wanted = progress->cost_ns * COST_FACTOR;
    return hn_clock_monotonic_ns() - progress->saved_ns > (wanted > save_after_ns ? wanted : save_after_ns);
}

static hn_err open_folder(hn_uring_io **out, hn_verify_progress *progress, bool read_only)
{
    hn_io_problem why = {.text = ""};
    const hn_uring_io_options options = {.read_only = read_only, .without_ring = true};
    hn_err err = hn_uring_io_open(out, &why, progress->folder, &options);
    if (err != HN_OK)
        snprintf(progress->trouble, sizeof progress->trouble, "%.480s", why.text);
    return err;
}

hn_err hn_verify_progress_save(hn_verify_progress *progress, hn_verified_ledger *const *ledgers,
                               const hn_replay_ledger *replayed, uint32_t count)
{
    uint64_t begun_ns = hn_clock_monotonic_ns();
    progress->saved_ns = begun_ns;
    for (uint32_t i = 0; i < count; i++)
        if (ledgers[i]->has_uncles)
            return HN_ERR_UNSUPPORTED;
    hn_uring_io *uring;
    HN_TRY(open_folder(&uring, progress, false));
    hn_io io = hn_uring_io_face(uring);
    hn_err err = HN_OK;
    for (uint32_t i = 0; err == HN_OK && i < count; i++)
        err = save_ledger(&io, progress, ledgers[i], &replayed[i]);
    if (err == HN_OK)
        err = write_record(&io, progress, ledgers, count);
    for (uint32_t i = 0; err == HN_OK && i < count; i++)
        err = hn_snapshot_retire(&io, ledgers[i]->name, KEPT, UINT64_MAX, NULL);
    hn_uring_io_close(uring);
    if (err != HN_OK && progress->trouble[0] == '\0')
        snprintf(progress->trouble, sizeof progress->trouble, "%.400s: %s", progress->folder,
                 hn_err_text(err));
    progress->cost_ns = hn_clock_monotonic_ns() - begun_ns;
    return err;
}

hn_err hn_verify_progress_load(hn_verify_progress *progress, hn_verified_ledger *const *ledgers,
                               hn_replay_ledger *replayed, uint32_t count, hn_arena *arena)
{
    hn_uring_io *uring;
    uint8_t *record = NULL;
    progress_head head = {0};
    HN_TRY(open_folder(&uring, progress, true));
    hn_io io = hn_uring_io_face(uring);
    hn_err err = read_record(&io, &record, &head);
    if (err == HN_OK && head.ledger_count != count)
        err = HN_ERR_MISMATCH;
    if (err == HN_OK) {
        progress->frame_index = head.frame_index;
        progress->chain = head.chain;
    }
    for (uint32_t i = 0; err == HN_OK && i < count; i++) {
        progress_ledger one;
        memcpy(&one, record + sizeof head + i * sizeof one, sizeof one);
        if (strncmp(one.name, ledgers[i]->name, sizeof one.name) != 0)
            err = HN_ERR_MISMATCH;
        else
            err = load_ledger(&io, progress, ledgers[i], &replayed[i], arena);
        ledgers[i]->blocks = one.blocks;
        ledgers[i]->transactions = one.transactions;
        ledgers[i]->skipped = one.skipped;
        ledgers[i]->compared = one.compared;
    }
    if (err == HN_OK) {
        progress->frames = head.frames;
        progress->transactions = head.transactions;
        /* What was found in this run before is found again each time. */
        const uint8_t *finding = record + sizeof head + count * sizeof(progress_ledger);
        for (uint32_t i = 0; i < head.kept_count; i++, finding += HN_VERIFY_FINDING_BYTES) {
            bool is_known = false;
            for (unsigned j = 0; j < progress->kept_count; j++)
                is_known = is_known || strcmp(progress->findings[j], (const char *)finding) == 0;
            if (!is_known)
                hn_verify_progress_add(progress, (const char *)finding);
        }
    }
    hn_uring_io_close(uring);
    free(record);
    if (err != HN_OK && progress->trouble[0] == '\0')
        snprintf(progress->trouble, sizeof progress->trouble,
                 "%.400s: there is no progress to go on from: %s", progress->folder, hn_err_text(err));
    return err;
}

typedef struct removal {
    const hn_io *io;
} removal;

static void remove_one(void *context, const char *name)
{
    const removal *self = context;
    size_t size = strlen(name);
    if (strcmp(name, progress_name) == 0 || strcmp(name, progress_new) == 0 || strcmp(name, "lock") == 0 ||
        (size > 9 && strcmp(name + size - 9, ".snapshot") == 0))
        (void)!self->io->operations->remove(self->io->self, name);
}

void hn_verify_progress_end(hn_verify_progress *progress, bool is_finished)
{
    char file[sizeof progress->folder + sizeof progress_name];
    snprintf(file, sizeof file, "%s/%s", progress->folder, progress_name);
    hn_uring_io *uring;
    if (!is_finished || access(file, F_OK) != 0 || open_folder(&uring, progress, false) != HN_OK)
        return;
    hn_io io = hn_uring_io_face(uring);
    removal self = {.io = &io};
    (void)!io.operations->list(io.self, remove_one, &self);
    hn_uring_io_close(uring);
    (void)!rmdir(progress->folder);
}

/* --- rate
 * ------------------------------------------------------------------------------------------------------ */

static void add_segment(void *context, const char *name)
{
    uint64_t sequence;
    if (hn_segment_name_parse(&sequence, name) && sequence > *(uint64_t *)context)
        *(uint64_t *)context = sequence;
}

/* How much of a segment has been written: its end is zeroes. */
static uint64_t written_bytes(const hn_io *io, hn_io_file file, uint64_t size)
{
    uint8_t sector[HN_FRAME_SECTOR_BYTES];
    uint64_t low = 0, high = size / HN_LOG_ALIGNMENT_MAX;
    while (low < high) { /* frames are small against the error that a large one makes here */
        uint64_t middle = low + (high - low) / 2;
        bool is_zero = io->operations->read(io->self, sector, file, middle * HN_LOG_ALIGNMENT_MAX,
                                            sizeof sector) != HN_OK ||
                       hn_bytes_are_zero(hn_bytes_of(sector, sizeof sector));
        if (is_zero)
            high = middle;
        else
            low = middle + 1;
    }
    return low * HN_LOG_ALIGNMENT_MAX;
}

void hn_verify_rate_begin(hn_verify_rate *rate, const hn_io *io)
{
    uint64_t last = 0;
    *rate = (hn_verify_rate){.begun_ns = hn_clock_monotonic_ns()};
    rate->told_ns = rate->begun_ns;
    (void)!io->operations->list(io->self, add_segment, &last);
    for (uint64_t sequence = last; sequence != 0; sequence--) {
        char name[HN_SEGMENT_NAME_MAX];
        hn_io_file file;
        uint64_t size = 0;
        hn_segment_name(name, sequence);
        if (io->operations->open(io->self, &file, name, HN_IO_READ) != HN_OK)
            break; /* the log begins behind it */
        (void)!io->operations->size(io->self, &size, file);
        rate->bytes_of_log += sequence + 1 < last ? size : written_bytes(io, file, size);
        io->operations->close(io->self, file);
    }
}

void hn_verify_rate_add(hn_verify_rate *rate, uint64_t frame_index, size_t payload_size,
                        uint32_t transactions)
{
    if (rate->first_index == 0)
        rate->first_index = frame_index;
    rate->bytes += hn_frame_size(payload_size, HN_FRAME_SECTOR_BYTES * 8);
    rate->transactions += transactions;
    uint64_t now_ns = hn_clock_monotonic_ns();
    if (now_ns - rate->told_ns < tell_after_ns)
        return;
    rate->told_ns = now_ns;
    double seconds = (double)(now_ns - rate->begun_ns) / 1e9;
    /* Frames before the first one of this run were as large as those since, more or less. */
    double before =
        (double)rate->bytes / (double)(frame_index - rate->first_index + 1) * (double)(rate->first_index - 1);
    double left = (double)rate->bytes_of_log - (double)rate->bytes - before;
    fprintf(stderr,
            "hanse verify: frame %" PRIu64
            ", %.0f transactions/s, %.1f MB/s, %.0f s passed, about %.0f s left\n",
            frame_index, (double)rate->transactions / seconds, (double)rate->bytes / 1e6 / seconds, seconds,
            left > 0 ? left * seconds / (double)rate->bytes : 0.0);
}

void hn_verify_rate_end(const hn_verify_rate *rate)
{
    double seconds = (double)(hn_clock_monotonic_ns() - rate->begun_ns) / 1e9;
    if (rate->told_ns != rate->begun_ns)
        fprintf(stderr, "hanse verify: %" PRIu64 " transactions in %.1f s\n", rate->transactions, seconds);
}

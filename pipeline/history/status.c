/* What threads other than the writer see: whether readers have everything, and how large the file is. */
#include "pipeline/history/store.h"

#include "engine/base/check.h"

#include <errno.h>

/* What keeps a commit from succeeding, in words. */
static const char *words_of(int failure)
{
    switch (failure) {
    case 0:
        return "";
    case MDB_MAP_FULL:
        return "its size limit is reached";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "no space left on its disk";
    default:
        return hn_err_text(hn_history_err(failure));
    }
}

hn_history_status hn_history_status_now(const hn_history *history)
{
    const hn_history_view *view = &history->view;
#define READ(member) atomic_load_explicit(&view->member, memory_order_relaxed)
    int failure = atomic_load_explicit(&view->failure, memory_order_acquire);
    hn_history_status status = {
        .is_behind = failure != 0,
        .why = words_of(failure),
        .waiting_blocks = READ(waiting_blocks),
        .waiting_bytes = READ(waiting_bytes),
        .failed_commits = READ(failed_commits),
        .bytes = READ(bytes),
        .limit_bytes = view->limit_bytes,
    };
#undef READ
    status.is_full = status.is_behind && status.waiting_bytes >= history->pending_bytes_max;
    return status;
}

uint64_t hn_history_newest_put(const hn_history *history, uint32_t index)
{
    HN_CHECK(index < HN_HISTORY_LEDGERS_MAX);
    return atomic_load_explicit(&history->view.newest_put[index], memory_order_relaxed);
}

void hn_history_note_waiting(hn_history *history)
{
    atomic_store_explicit(&history->view.waiting_blocks, history->pending_blocks, memory_order_relaxed);
    atomic_store_explicit(&history->view.waiting_bytes, history->pending_bytes, memory_order_relaxed);
}

void hn_history_note_newest(hn_history *history, uint32_t index)
{
    const hn_history_ledger *ledger = &history->by_index[index];
    atomic_store_explicit(&history->view.newest_put[index], ledger->has_blocks ? ledger->last_number : 0,
                          memory_order_relaxed);
}

void hn_history_note_size(hn_history *history)
{
    MDB_envinfo info;
    MDB_stat stat;
    if (mdb_env_info(history->environment, &info) == 0 && mdb_env_stat(history->environment, &stat) == 0)
        atomic_store_explicit(&history->view.bytes, (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize,
                              memory_order_relaxed);
}

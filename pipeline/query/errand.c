#include "engine/base/check.h"
#include "pipeline/query/engine_internal.h"

void hn_query_engine_set_carrier(hn_query_engine *engine, void (*carry)(void *self, hn_query_errand *errand),
                                 void *self)
{
    engine->carry = carry;
    engine->carry_self = self;
}

void hn_query_errand_run(hn_query_errand *errand)
{
    errand->work(errand->work_self);
    HN_CHECK(pthread_mutex_lock(&errand->lock) == 0);
    errand->is_done = true;
    HN_CHECK(pthread_cond_signal(&errand->is_over) == 0);
    HN_CHECK(pthread_mutex_unlock(&errand->lock) == 0);
}

void hn_query_on_owner(hn_query_engine *engine, void (*work)(void *self), void *self)
{
    if (engine->reader == 0) {
        work(self);
        return;
    }
    hn_query_errand *errand = &engine->errand;
    HN_CHECK(engine->carry != NULL);
    errand->work = work;
    errand->work_self = self;
    errand->is_done = false;
    engine->carry(engine->carry_self, errand);
    HN_CHECK(pthread_mutex_lock(&errand->lock) == 0);
    while (!errand->is_done)
        pthread_cond_wait(&errand->is_over, &errand->lock);
    HN_CHECK(pthread_mutex_unlock(&errand->lock) == 0);
}

/* One event emitted by a contract (yellow paper, section 4.3.1). Borrowed data: lives as long as its receipt.
 */
#ifndef HN_ENGINE_TYPES_LOG_H
#define HN_ENGINE_TYPES_LOG_H

#include "engine/base/bytes.h"

enum { HN_LOG_TOPICS_MAX = 4 };

typedef struct hn_log {
    hn_address address;
    uint32_t topic_count; /* 0 to 4 */
    hn_hash topics[HN_LOG_TOPICS_MAX];
    hn_bytes data;
} hn_log;

#endif

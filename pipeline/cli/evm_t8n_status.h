/* How `hanse evm t8n` fails: the exit statuses that its users know from geth's, and a line for people. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_STATUS_H
#define HN_PIPELINE_CLI_EVM_T8N_STATUS_H

typedef enum hn_t8n_status {
    HN_T8N_OK = 0,
    HN_T8N_FAILED = 1, /* anything that has no status of its own */
    HN_T8N_EVM = 2,
    HN_T8N_CONFIG = 3,
    HN_T8N_MISSING_BLOCK_HASH = 4,
    HN_T8N_JSON = 10,
    HN_T8N_IO = 11,
    HN_T8N_RLP = 12,
} hn_t8n_status;

typedef struct hn_t8n_problem {
    char text[512];
} hn_t8n_problem;

/* Leaves the text and returns the status. printf-like. */
__attribute__((format(printf, 3, 4))) hn_t8n_status hn_t8n_fail(hn_t8n_problem *problem, hn_t8n_status status,
                                                                const char *format, ...);

/* Returns from the calling function when `expression` is not HN_T8N_OK. */
#define HN_T8N_TRY(expression)                                                                               \
    do {                                                                                                     \
        hn_t8n_status hn_t8n_try_status = (expression);                                                      \
        if (hn_t8n_try_status != HN_T8N_OK)                                                                  \
            return hn_t8n_try_status;                                                                        \
    } while (0)

#endif

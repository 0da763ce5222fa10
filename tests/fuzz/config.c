/* Configuration files: whatever the text, reading it ends with success or with an error that names the file.
 */
#include "pipeline/cli/config.h"

#include "engine/base/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_config config;
    hn_config_problem problem = {.text = ""};
    HN_CHECK(hn_config_init(&config) == HN_OK);
    hn_err err = hn_config_read_text(&config, &problem, "FILE", hn_bytes_of(data, size));
    HN_CHECK(err == HN_OK || strncmp(problem.text, "FILE:", 5) == 0);
    HN_CHECK(config.ledger_count <= HN_CONFIG_LEDGERS_MAX && config.rpc_port <= 65535);
    for (uint32_t i = 0; err == HN_OK && i < config.ledger_count; i++)
        HN_CHECK(config.ledgers[i].name != NULL && config.ledgers[i].genesis != NULL);
    hn_config_destroy(&config);
    return 0;
}

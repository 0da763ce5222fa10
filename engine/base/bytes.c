#include "engine/base/bytes.h"

void hn_wipe(void *secret, size_t size)
{
    explicit_bzero(secret, size);
}

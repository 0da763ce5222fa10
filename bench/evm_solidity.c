#include "bench/evm_solidity.h"
const unsigned evm_solidity_count = 0;
const char *evm_solidity_name(unsigned index)
{
    (void)index;
    return "";
}
void evm_solidity_put(evm_world *world, evm_peer *peer, hn_message *out, unsigned index)
{
    (void)world;
    (void)peer;
    (void)out;
    (void)index;
}

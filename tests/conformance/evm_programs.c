/* The programs of evm-benchmarks in both interpreters: gas and output as other implementations have them. */
#include "tests/support/vectors.h"
#include "tests/unit/engine/evm/programs.h"

enum { MEMORY_BYTES = 64 << 20 };

int main(void)
{
    static vectors set;
    static evm_programs programs;
    evm_world world;
    if (!vectors_open(&set, "evm-benchmarks"))
        return VECTORS_EXIT_SKIPPED;
    if (!evm_programs_read(&programs, set.folder, NULL))
        vectors_fail(&set, "programs.txt", "cannot be read");
    evm_world_create(&world, HN_FORK_BERLIN, MEMORY_BYTES);
    for (size_t i = 0; i < programs.count; i++)
        for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
            char problem[256];
            if (evm_program_check(&world, &programs.items[i], way, problem))
                vectors_pass(&set);
            else
                vectors_fail(&set, programs.items[i].name, "%s: %s", way == EVM_FAST ? "fast" : "exact",
                             problem);
        }
    evm_world_destroy(&world);
    return vectors_close(&set);
}

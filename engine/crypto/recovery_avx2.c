/* Public-key recovery, four signatures side by side with AVX2 and FMA. */
#define HN_LANES_AVX2
#include "engine/crypto/recovery_lanes.h"

const hn_recovery_kernel hn_recovery_avx2 = HN_RECOVERY_LANES_KERNEL("avx2", 32);

/* Public-key recovery, eight signatures side by side with AVX-512 IFMA. */
#define HN_LANES_IFMA
#include "engine/crypto/recovery_lanes.h"

const hn_recovery_kernel hn_recovery_ifma = HN_RECOVERY_LANES_KERNEL("avx512ifma", 96);

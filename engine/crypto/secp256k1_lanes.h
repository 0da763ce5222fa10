/* The lanes that the text above is compiled for. A kernel says so before it includes anything: HN_LANES_IFMA
 * or HN_LANES_AVX2. */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_H

#ifdef HN_LANES_IFMA
#include "engine/crypto/secp256k1_lanes_ifma.h"
#else
#include "engine/crypto/secp256k1_lanes_avx2.h"
#endif

#endif

// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

namespace flowtap::filter {

match_code choose_match(code_path path) noexcept {
#if defined(__x86_64__)
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
                      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    if (avx512 && (path == code_path::fastest || path == code_path::avx512))
        return avx512_code;
    if (avx2 && path != code_path::portable)
        return avx2_code;
#endif
    return portable_code;
}

} // namespace flowtap::filter

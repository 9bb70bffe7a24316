// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>
#include <type_traits>

#include <flowtap/capture/api.hpp>

namespace flowtap::capture {

/// Why packets cannot be had. The subject of the error names the file or device, and says in the
/// words of the capture library what it is about.
enum class errc {
    not_a_capture = 1,       ///< the file is not a capture file that can be read
    damaged_capture,         ///< the capture file is damaged or ends in the middle of a packet
    cannot_open_device,      ///< the device cannot be opened for capture
    device_failed,           ///< capturing on the device has failed
    invalid_filter,          ///< the capture filter is not valid
    filter_not_in_kernel,    ///< the kernel did not take the capture filter
    unsupported_link_type,   ///< frames of this link type cannot be decoded
    ring_unavailable,        ///< the system has no ring for packets of this device
    unsupported_compression, ///< the file is compressed, with what this build cannot decompress
    damaged_compression,     ///< the compressed data is damaged or ends too early
};

/// The category of `capture::errc`, named "flowtap.capture".
FLOWTAP_CAPTURE_API const std::error_category& capture_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), capture_category()};
}

} // namespace flowtap::capture

template <>
struct std::is_error_code_enum<flowtap::capture::errc> : std::true_type {};

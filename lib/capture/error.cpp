// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <flowtap/capture/error.hpp>

namespace flowtap::capture {

namespace {

class capture_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.capture"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::not_a_capture:
            return "the file is not a capture file that can be read";
        case errc::damaged_capture:
            return "the capture file is damaged or ends in the middle of a packet";
        case errc::cannot_open_device:
            return "the device cannot be opened for capture";
        case errc::device_failed:
            return "capturing on the device has failed";
        case errc::invalid_filter:
            return "the capture filter is not valid";
        case errc::filter_not_in_kernel:
            return "the kernel did not take the capture filter";
        case errc::unsupported_link_type:
            return "frames of this link type cannot be decoded";
        case errc::ring_unavailable:
            return "the system has no ring for packets of this device";
        case errc::unsupported_compression:
            return "the file is compressed, with what this build cannot decompress";
        case errc::damaged_compression:
            return "the compressed data is damaged or ends too early";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& capture_category() noexcept {
    static const capture_error_category category;
    return category;
}

} // namespace flowtap::capture

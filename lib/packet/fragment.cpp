// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/packet/checksum.hpp>
#include <flowtap/packet/error.hpp>
#include <flowtap/packet/fragment.hpp>

#include "protocol_numbers.hpp"

namespace flowtap::packet {

using namespace detail;

result<fragmenter> fragmenter::make(const header_template& header, byte_view inner,
                                    std::uint32_t identification, std::size_t mtu) {
    fragmenter made;
    if (!header.write(inner, static_cast<std::uint16_t>(identification), made.octets_))
        return fail(errc::too_long);

    made.is_ipv4_ = header.parameters().source.address.ip_family() == family::inet;
    made.ip_size_ = made.is_ipv4_ ? ipv4_header_size : ipv6_header_size;
    made.shim_size_ = header.size() - made.ip_size_;
    made.rest_ = inner;
    made.mtu_ = mtu;
    made.is_whole_ = header.size() + inner.size() <= mtu;
    if (made.is_whole_)
        return made;

    if (!made.is_ipv4_)
        made.make_room_for_fragment_header(identification);
    if (mtu < made.ip_size_ + made.shim_size_ + 8)
        return fail(errc::mtu_too_small);
    return made;
}

/// Puts a fragment header between the IPv6 header and what follows it (RFC 8200, section 4.5).
void fragmenter::make_room_for_fragment_header(std::uint32_t identification) noexcept {
    const std::span<std::byte> shim = std::span(octets_).subspan(ip_size_, shim_size_);
    std::copy_backward(shim.begin(), shim.end(), shim.end() + ipv6_fragment_header_size);

    const std::byte protocol = octets_[6];
    octets_[6] = std::byte{ip_protocol::fragment};
    const std::span<std::byte> header = std::span(octets_).subspan(ip_size_);
    header[0] = protocol;
    header[1] = std::byte{0};
    store_big_endian(header.subspan(4, 4), identification);
    ip_size_ += ipv6_fragment_header_size;
}

bool fragmenter::next(piece& out) noexcept {
    if (done_)
        return false;
    const std::size_t shim = offset_ == 0 ? shim_size_ : 0;
    const std::size_t left = shim + rest_.size();
    std::size_t length = left;
    if (!is_whole_ && ip_size_ + left > mtu_)
        length = (mtu_ - ip_size_) & ~std::size_t{7};
    done_ = length == left;
    if (!is_whole_ && is_ipv4_)
        write_ipv4_fields(offset_, length);
    else if (!is_whole_)
        write_ipv6_fields(offset_, length);

    out.header = byte_view(octets_).first(ip_size_ + shim);
    out.payload = rest_.first(length - shim);
    rest_ = rest_.subspan(length - shim);
    offset_ += length;
    return true;
}

void fragmenter::write_ipv4_fields(std::size_t offset, std::size_t length) noexcept {
    const std::uint16_t more = done_ ? 0 : 0x2000;
    const std::span<std::byte> header = std::span(octets_).first(ipv4_header_size);
    store_big_endian(header.subspan(2, 2), static_cast<std::uint16_t>(ip_size_ + length));
    store_big_endian(header.subspan(6, 2), static_cast<std::uint16_t>(offset / 8 | more));
    store_big_endian(header.subspan(10, 2), std::uint16_t{0});
    store_big_endian(header.subspan(10, 2), internet_checksum().add(header).value());
}

void fragmenter::write_ipv6_fields(std::size_t offset, std::size_t length) noexcept {
    const std::uint16_t more = done_ ? 0 : 1;
    const std::size_t payload = ipv6_fragment_header_size + length;
    store_big_endian(std::span(octets_).subspan(4, 2), static_cast<std::uint16_t>(payload));
    store_big_endian(std::span(octets_).subspan(ipv6_header_size + 2, 2),
                     static_cast<std::uint16_t>(offset | more));
}

} // namespace flowtap::packet

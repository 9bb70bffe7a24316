// SPDX-License-Identifier: Apache-2.0
#include "netlink.hpp"

#include <algorithm>

#include <linux/netlink.h>

namespace flowtap::deliver::detail {

namespace {

/// Messages and attributes begin at multiples of four octets; the last may lack its padding.
constexpr std::size_t padded(std::size_t size) noexcept {
    return (size + 3) & ~std::size_t{3};
}

byte_view behind(byte_view octets, std::size_t size) noexcept {
    return octets.subspan(std::min(padded(size), octets.size()));
}

} // namespace

bool netlink_walk::next(netlink_message& out) noexcept {
    if (rest_.empty() || !good_)
        return false;
    if (rest_.size() < sizeof(nlmsghdr)) {
        good_ = false;
        return false;
    }
    const auto header = load_native<nlmsghdr>(rest_);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest_.size()) {
        good_ = false;
        return false;
    }
    out = {header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq,
           rest_.subspan(sizeof header, header.nlmsg_len - sizeof header)};
    rest_ = behind(rest_, header.nlmsg_len);
    return true;
}

bool attribute_walk::next(attribute& out) noexcept {
    if (rest_.size() < sizeof(nlattr))
        return false;
    const auto header = load_native<nlattr>(rest_);
    if (header.nla_len < sizeof header || header.nla_len > rest_.size())
        return false;
    out = {static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
           rest_.subspan(sizeof header, header.nla_len - sizeof header)};
    rest_ = behind(rest_, header.nla_len);
    return true;
}

void netlink_request::put(byte_view octets) noexcept {
    std::copy(octets.begin(), octets.end(), std::span(octets_).subspan(size_).begin());
    size_ += padded(octets.size());
}

void netlink_request::begin(std::uint16_t type, std::uint32_t sequence, byte_view body) noexcept {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
    header.nlmsg_type = type;
    header.nlmsg_flags = NLM_F_REQUEST;
    header.nlmsg_seq = sequence;
    put(std::as_bytes(std::span(&header, 1)));
    put(body);
}

void netlink_request::add(std::uint16_t type, byte_view value) noexcept {
    if (octets_.size() - size_ < padded(sizeof(nlattr) + value.size()))
        return;
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
    put(std::as_bytes(std::span(&header, 1)));
    put(value);
    const auto length = static_cast<std::uint32_t>(size_);
    std::memcpy(octets_.data(), &length, sizeof length);
}

} // namespace flowtap::deliver::detail

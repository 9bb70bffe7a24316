// SPDX-License-Identifier: Apache-2.0
#include "numbered_packets.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace traffic {

namespace {

constexpr std::size_t ipv4_header = 20;
constexpr std::size_t ipv6_header = 40;
constexpr std::size_t udp_header = 8;
/// What a payload begins with, before the number.
constexpr std::uint32_t magic = 0x4E756D62;
constexpr std::size_t numbering = sizeof magic + sizeof(std::uint64_t);
constexpr std::uint8_t udp_protocol = 17;

template <class Unsigned>
void put(std::span<std::byte> into, std::size_t at, Unsigned value) {
    for (std::size_t i = sizeof(Unsigned); i-- > 0; value = static_cast<Unsigned>(value >> 4 >> 4))
        into[at + i] = static_cast<std::byte>(value & 0xFF);
}

std::uint64_t load(octets from, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
        value = value << 8 | std::to_integer<std::uint64_t>(from[at + i]);
    return value;
}

/// Sum of the 16-bit words of an even number of octets.
std::uint32_t sum_of(octets words) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < words.size(); i += 2)
        sum += static_cast<std::uint32_t>(load(words, i, 2));
    return sum;
}

std::uint16_t checksum(std::uint32_t sum) {
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

std::uint32_t sum_of(std::uint64_t number) {
    return static_cast<std::uint32_t>((number >> 48) + (number >> 32 & 0xFFFF) +
                                      (number >> 16 & 0xFFFF) + (number & 0xFFFF));
}

void put_ipv4(std::span<std::byte> head, std::uint32_t flow) {
    head[0] = std::byte{0x45};
    head[8] = std::byte{64}; // time to live
    head[9] = std::byte{udp_protocol};
    put<std::uint32_t>(head, 12, 0x0A400000 + flow);
    put<std::uint32_t>(head, 16, 0x0A410000 + flow);
}

void put_ipv6(std::span<std::byte> head, std::uint32_t flow) {
    head[0] = std::byte{0x60};
    head[6] = std::byte{udp_protocol};
    head[7] = std::byte{64}; // hop limit
    for (const std::size_t at : {8U, 24U}) {
        put<std::uint32_t>(head, at, 0x20010DB8);
        put<std::uint16_t>(head, at + 4, at == 8 ? 0x64 : 0x65);
        put<std::uint32_t>(head, at + 12, flow);
    }
}

} // namespace

numbered_packets::numbered_packets(stream_shape shape) : shape_(std::move(shape)) {
    if (shape_.flows == 0 || shape_.flows > 4096 || shape_.run == 0)
        throw std::runtime_error("a stream has 1 to 4096 flows, with packets");
    const std::size_t least = link_header + udp_header + numbering +
                              (shape_.inet6_every != 0 ? ipv6_header : ipv4_header);
    for (const std::uint64_t size : shape_.sizes)
        if (size < least || size > longest_frame)
            throw std::runtime_error("a frame of the stream is too short or too long");
    for (std::size_t i = 0; i < filler_.size(); ++i)
        filler_[i] = static_cast<std::byte>(i * 7 & 0xFF);
    for (std::size_t i = 1; i < filler_sums_.size(); ++i)
        filler_sums_[i] =
            filler_sums_[i - 1] + static_cast<std::uint32_t>(load(filler_, 2 * (i - 1), 2));
    expected_ = filler_;
    for (std::uint32_t i = 0; i < shape_.flows; ++i)
        flows_.push_back(make_flow(i));
}

stream_shape shape_from(const arguments& given) {
    stream_shape made;
    made.flows = static_cast<std::uint32_t>(given.number("flows", 1));
    made.run = static_cast<std::uint32_t>(given.number("run", 1));
    made.inet6_every = static_cast<std::uint32_t>(given.number("inet6-every", 0));
    if (given.has("sizes"))
        made.sizes = given.numbers("sizes");
    return made;
}

numbered_packets::flow numbered_packets::make_flow(std::uint32_t number) const {
    flow made;
    std::copy_n(filler_.begin(), longest_head, made.head.begin());
    const std::span<std::byte> head(made.head);
    std::copy(shape_.to.begin(), shape_.to.end(), head.begin());
    std::copy(shape_.from.begin(), shape_.from.end(), head.begin() + 6);
    const bool inet6 = is_inet6(number);
    put<std::uint16_t>(head, 12, inet6 ? 0x86DD : 0x0800);
    made.transport = link_header + (inet6 ? ipv6_header : ipv4_header);
    const std::span<std::byte> network = head.subspan(link_header, made.transport - link_header);
    std::fill(network.begin(), network.end(), std::byte{});
    inet6 ? put_ipv6(network, number) : put_ipv4(network, number);
    put<std::uint16_t>(head, made.transport, static_cast<std::uint16_t>(10'000 + number));
    put<std::uint16_t>(head, made.transport + 2, static_cast<std::uint16_t>(20'000 + number));
    put<std::uint16_t>(head, made.transport + 4, 0);
    put<std::uint16_t>(head, made.transport + 6, 0);
    put<std::uint32_t>(head, made.transport + udp_header, magic);
    made.ip_sum = inet6 ? 0 : sum_of(network);
    made.udp_sum = sum_of(network.subspan(inet6 ? 8 : 12)) + udp_protocol +
                   sum_of(head.subspan(made.transport, udp_header + sizeof magic));
    return made;
}

std::size_t numbered_packets::size_of(std::uint64_t number) const {
    return shape_.sizes[(place_of(number) + flow_of(number)) % shape_.sizes.size()];
}

std::size_t numbered_packets::write(std::uint64_t number, frame_buffer& into) const {
    const flow& of = flows_[flow_of(number)];
    const std::size_t size = size_of(number);
    const std::span<std::byte> out(into);
    std::copy(of.head.begin(), of.head.end(), into.begin());
    const auto udp_length = static_cast<std::uint16_t>(size - of.transport);
    if (of.transport == link_header + ipv4_header) {
        const auto length = static_cast<std::uint16_t>(size - link_header);
        const auto identification = static_cast<std::uint16_t>(number);
        put(out, link_header + 2, length);
        put(out, link_header + 4, identification);
        put(out, link_header + 10, checksum(of.ip_sum + length + identification));
    } else {
        put(out, link_header + 4, udp_length);
    }
    put(out, of.transport + 4, udp_length);
    const std::size_t begin = of.transport + udp_header + numbering;
    put(out, begin - sizeof number, number);
    std::uint32_t sum = of.udp_sum + 2U * udp_length + sum_of(number) + filler_sums_[size / 2] -
                        filler_sums_[begin / 2];
    // The sum of an odd number of octets is as if a zero followed.
    if (size % 2 != 0)
        sum += std::to_integer<std::uint32_t>(filler_[size - 1]) << 8;
    const std::uint16_t made = checksum(sum);
    put<std::uint16_t>(out, of.transport + 6, made == 0 ? 0xFFFF : made);
    return size;
}

std::optional<std::uint64_t> numbered_packets::number_in(octets packet) const {
    if (packet.empty())
        return std::nullopt;
    const auto version = std::to_integer<unsigned>(packet[0]) >> 4;
    const std::size_t begin = (version == 6 ? ipv6_header : ipv4_header) + udp_header;
    if (packet.size() < begin + numbering || load(packet, begin, sizeof magic) != magic)
        return std::nullopt;
    return load(packet, begin + sizeof magic, sizeof(std::uint64_t));
}

bool numbered_packets::is(octets packet, std::uint64_t number) {
    const std::size_t size = write(number, expected_);
    const octets wanted = octets(expected_).subspan(link_header, size - link_header);
    return packet.size() == wanted.size() &&
           std::memcmp(packet.data(), wanted.data(), wanted.size()) == 0;
}

} // namespace traffic

// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/bytes.hpp>

#include <array>
#include <string_view>

#include <doctest/doctest.h>

using namespace flowtap;

namespace {

constexpr std::string_view text("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9);

} // namespace

TEST_CASE("numbers are read in network byte order") {
    const byte_view bytes = as_byte_view(text);
    CHECK(load_big_endian<std::uint8_t>(bytes) == 0x01);
    CHECK(load_big_endian<std::uint16_t>(bytes) == 0x0102);
    CHECK(load_big_endian<std::uint32_t>(bytes) == 0x0102'0304);
    CHECK(load_big_endian<std::uint64_t>(bytes) == 0x0102'0304'0506'0708);
}

TEST_CASE("a number that was written is read again, and nothing beside it changes") {
    std::array<std::byte, 10> bytes{};
    store_big_endian(std::span(bytes).subspan(1), std::uint64_t{0xFEDC'BA98'7654'3210});
    CHECK(load_big_endian<std::uint64_t>(byte_view(bytes).subspan(1)) == 0xFEDC'BA98'7654'3210);
    CHECK(bytes.front() == std::byte{0});
    CHECK(bytes.back() == std::byte{0});
    CHECK(bytes[1] == std::byte{0xFE});

    store_big_endian(std::span<std::byte>(bytes), std::uint16_t{0xABCD});
    CHECK(bytes[0] == std::byte{0xAB});
    CHECK(bytes[1] == std::byte{0xCD});
    CHECK(bytes[2] == std::byte{0xDC});
}

TEST_CASE("a cursor walks over its bytes") {
    byte_cursor cursor(as_byte_view(text));
    CHECK(cursor.u8() == 0x01);
    CHECK(cursor.u16() == 0x0203);
    CHECK(cursor.u32() == 0x0405'0607);
    CHECK(cursor.offset() == 7);
    CHECK(cursor.remaining() == 2);
    CHECK(cursor.rest().size() == 2);
    CHECK(cursor.take(1).front() == std::byte{8});
    CHECK(cursor.skip(1));
    CHECK(cursor.remaining() == 0);
    CHECK(cursor.good());
    CHECK(cursor.take(0).empty());
    CHECK(cursor.good());
}

TEST_CASE("a read that does not fit moves nothing and spoils the cursor for good") {
    for (std::size_t size = 0; size < 8; ++size) {
        CAPTURE(size);
        byte_cursor cursor(as_byte_view(text).first(size));
        CHECK(cursor.u64() == 0);
        CHECK_FALSE(cursor.good());
        CHECK(cursor.offset() == 0);
        CHECK(cursor.remaining() == size);
        // Although it would fit.
        CHECK(cursor.u8() == 0);
        CHECK(cursor.take(0).empty());
        CHECK_FALSE(cursor.skip(0));
    }
}

TEST_CASE("a cursor over nothing and a size beyond all memory are harmless") {
    byte_cursor nothing;
    CHECK(nothing.good());
    CHECK(nothing.u8() == 0);
    CHECK_FALSE(nothing.good());

    byte_cursor cursor(as_byte_view(text));
    cursor.u8();
    CHECK_FALSE(cursor.skip(~std::size_t{0}));
    CHECK(cursor.offset() == 1);
}

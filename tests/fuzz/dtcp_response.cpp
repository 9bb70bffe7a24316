// SPDX-License-Identifier: Apache-2.0
// A server's octets: read whole and in two pieces alike; what was read is written, read again, is
// the same, and is written the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <flowtap/dtcp/reader.hpp>
#include <flowtap/dtcp/writer.hpp>

using namespace flowtap;

namespace {

class no_hash final : public dtcp::keyed_hash {
public:
    void reset() override {}
    void update(byte_view) override {}
    dtcp::digest finish() override { return {}; }
};

void require(bool holds) {
    if (!holds)
        std::abort();
}

/// Collects what was read and writes it again.
class echo final : public dtcp::response_handler {
public:
    void on_entry(dtcp::list_entry entry) override { entries_.push_back(std::move(entry)); }

    void on_response(dtcp::response answer, dtcp::authenticity) override {
        if (entries_.empty()) {
            write_response(octets, answer, hash_);
        } else {
            answer.criterion.reset();
            dtcp::list_writer writer(hash_);
            writer.begin(octets, answer);
            for (const dtcp::list_entry& entry : entries_) {
                std::string text;
                write_entry(text, entry, answer.spoken);
                writer.add(octets, text);
            }
            writer.end(octets, answer.criteria_count.value_or(0));
        }
        entries_.clear();
    }

    void on_notification(dtcp::notification told, dtcp::authenticity) override {
        write_notification(octets, told, hash_);
    }

    std::string octets;

private:
    std::vector<dtcp::list_entry> entries_;
    no_hash hash_;
};

/// What comes out of an echo that is fed two pieces.
std::string echoed(byte_view first, byte_view second) {
    echo handler;
    dtcp::response_reader reader(handler);
    if (reader.put(first) && reader.put(second))
        handler.octets += reader.in_message() ? "..." : "";
    return handler.octets;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const byte_view octets = std::as_bytes(std::span(data, size));
    std::string once = echoed(octets, {});
    require(once == echoed(octets.first(size / 2), octets.subspan(size / 2)));
    if (once.ends_with("..."))
        once.resize(once.size() - 3);
    const std::string twice = echoed(as_byte_view(once), {});
    require(once == twice);
    return 0;
}

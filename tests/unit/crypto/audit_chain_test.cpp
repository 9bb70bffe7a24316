// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/crypto/audit_chain.hpp>
#include <flowtap/crypto/digest.hpp>

#include "hexadecimal.hpp"

using namespace flowtap;
using crypto::audit_chain;
using crypto::audit_key;

namespace {

audit_key some_key() {
    std::array<std::byte, audit_key::size> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i)
        octets[i] = static_cast<std::byte>(i);
    return audit_key(octets);
}

std::string_view without_end(std::string_view line) {
    return line.substr(0, line.size() - 1);
}

} // namespace

TEST_CASE("a line has its number, its members and the HMAC of all before it") {
    audit_chain chain(some_key());
    const std::string line = chain.line(R"("event":"start")");
    // By hmac of Python: what others compute who verify a log.
    CHECK(line == R"({"number":1,"event":"start","tag":")" + hexadecimal([] {
                      crypto::hmac_sha256 hash(some_key().octets());
                      hash.update(as_byte_view(R"({"number":1,"event":"start")"));
                      return hash.finish();
                  }()) +
                      "\"}\n");
    const auto read = crypto::read_audit_line(without_end(line));
    REQUIRE(read);
    CHECK(read->number == 1);
    CHECK(read->before == 0);
    CHECK(read->text == R"({"number":1,"event":"start")");
}

TEST_CASE("each key is the SHA-256 of the one before") {
    audit_chain chain(some_key());
    chain.step(chain.line(R"("event":"start")"));
    CHECK(chain.next() == 2);
    CHECK(chain.key().to_text() ==
          hexadecimal(crypto::sha256({as_byte_view(some_key().octets())})));
    crypto::hmac_sha256 hash("");
    const std::string second = chain.line(R"("event":"add")");
    const auto read = crypto::read_audit_line(without_end(second));
    REQUIRE(read);
    CHECK(is_authentic(*read, some_key().next(), hash));
    CHECK_FALSE(is_authentic(*read, some_key(), hash));
}

TEST_CASE("a key is read from its text and from nothing else") {
    const std::string text = some_key().to_text();
    for (const std::string& good : {text, text + "\n"}) {
        const auto key = audit_key::from_text(good);
        REQUIRE(key);
        CHECK(*key == some_key());
    }
    std::string upper = text;
    upper.back() = 'F';
    for (const std::string& bad : {std::string(), text.substr(1), text + "0", text + "\n\n",
                                   " " + text, upper, text.substr(1) + "g"})
        CHECK_FALSE(audit_key::from_text(bad));
    CHECK_FALSE(audit_key::random() == audit_key::random());
}

TEST_CASE("what no chain has written is no line of one") {
    const audit_chain chain(some_key());
    const std::string good(without_end(chain.line(R"("event":"add")", 7)));
    const auto read = crypto::read_audit_line(good);
    REQUIRE(read);
    CHECK(read->before == 7);
    // Every beginning of it, and everything with one octet left out of its frame.
    for (std::size_t size = 0; size < good.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(crypto::read_audit_line(good.substr(0, size)));
    }
    const std::string tag = good.substr(good.find(",\"tag\""));
    for (const std::string& bad :
         {std::string(R"({"number":0,"a":1)"), std::string(R"({"number":01,"a":1)"),
          std::string(R"({"number":-1,"a":1)"), std::string(R"({"number":,"a":1)"),
          std::string(R"({"number":18446744073709551616,"a":1)"), std::string(R"({"number":1)"),
          std::string(R"( {"number":1,"a":1)"), std::string(R"({"number": 1,"a":1)"),
          std::string(R"({"number":1,"before":0,"a":1)"),
          std::string(R"({"number":1,"before":x,"a":1)"), std::string()})
        CHECK_FALSE(crypto::read_audit_line(bad + tag));
    CHECK(crypto::read_audit_line(R"({"number":18446744073709551615,"a":1)" + tag));
}

TEST_CASE("the state of a chain survives as text, of the same size always") {
    audit_chain chain(some_key());
    for (int i = 0; i < 3; ++i) {
        chain.step(chain.line("\"event\":\"add\""));
        for (const std::string& name :
             {std::string("audit.jsonl"), std::string(), std::string(9999, 'n')}) {
            const std::string text = chain.to_text(name);
            CHECK(text.size() == audit_chain::text_size);
            const auto read = audit_chain::from_text(text);
            REQUIRE(read);
            CHECK(read->next() == chain.next());
            CHECK(read->key() == chain.key());
            CHECK(read->last_tag() == chain.last_tag());
        }
    }
}

TEST_CASE("a state that was torn or changed anywhere is none") {
    audit_chain chain(some_key());
    chain.step(chain.line("\"event\":\"add\""));
    const std::string text = chain.to_text("audit.jsonl");
    chain.step(chain.line("\"event\":\"add\""));
    const std::string newer = chain.to_text("audit.jsonl");
    for (std::size_t at = 0; at < text.size(); ++at) {
        CAPTURE(at);
        std::string changed = text;
        changed[at] ^= 1;
        CHECK_FALSE(audit_chain::from_text(changed));
        CHECK_FALSE(audit_chain::from_text(text.substr(0, at)));
        const std::string torn = newer.substr(0, at) + text.substr(at);
        if (torn != text && torn != newer)
            CHECK_FALSE(audit_chain::from_text(torn));
    }
}

TEST_CASE("the line that was written and not stored is adopted, and no other") {
    audit_chain chain(some_key());
    const std::string first = chain.line("\"event\":\"start\"");
    audit_chain restarted = chain;
    chain.step(first);
    const std::string second = chain.line("\"event\":\"add\"");
    CHECK_FALSE(restarted.adopt(without_end(second)));
    std::string changed(without_end(first));
    changed[15] ^= 1;
    CHECK_FALSE(restarted.adopt(changed));
    CHECK(restarted.next() == 1);
    CHECK(restarted.adopt(without_end(first)));
    CHECK(restarted.to_text("f") == chain.to_text("f"));
    CHECK_FALSE(restarted.adopt(without_end(first)));
}

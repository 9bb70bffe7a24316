// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/crypto/audit_verifier.hpp>

using namespace flowtap;
using crypto::audit_chain;
using crypto::audit_fault;
using crypto::audit_finding;
using crypto::audit_key;

namespace {

constexpr std::size_t size_of_log = 12;

using lines = std::vector<std::string>;

/// A chain with what it has written.
struct log_of_chain {
    audit_key first{{}};
    audit_chain chain{first};
    lines written;

    explicit log_of_chain(std::size_t count, const std::string& older = "") {
        if (!older.empty())
            written.push_back(older);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string members = "\"event\":\"add\",\"detail\":\"" + std::to_string(i) + '"';
            written.push_back(i == 0 ? chain.line(members, older.size()) : chain.line(members));
            chain.step(written.back());
        }
    }
};

struct outcome {
    std::vector<audit_finding> findings;
    crypto::audit_totals totals;

    /// `WORD FILE:LINE FIRST-LAST xCOUNT` for each finding.
    std::string text() const {
        std::string made;
        for (const audit_finding& each : findings)
            made += std::string(to_string(each.fault)) + ' ' + std::to_string(each.file) + ':' +
                    std::to_string(each.line) + ' ' + std::to_string(each.first) + '-' +
                    std::to_string(each.last) + " x" + std::to_string(each.count) + '\n';
        return made;
    }
    bool is_one(audit_fault fault, std::uint64_t line) const {
        return findings.size() == 1 && findings[0].fault == fault && findings[0].line == line;
    }
};

std::string joined(const lines& all) {
    std::string text;
    for (const std::string& each : all)
        text += each;
    return text;
}

outcome verify(const std::vector<std::string>& files, const log_of_chain& of,
               bool with_state = true, std::size_t piece = std::string::npos) {
    outcome made;
    crypto::audit_verifier verifier(
        of.first, [&](const audit_finding& each) { made.findings.push_back(each); });
    for (const std::string& file : files) {
        for (std::size_t at = 0; at < file.size(); at += std::min(piece, file.size()))
            verifier.put(std::string_view(file).substr(at, piece));
        verifier.end_file();
    }
    made.totals = verifier.finish(with_state ? std::optional(of.chain) : std::nullopt);
    CHECK(made.totals.findings == made.findings.size());
    return made;
}

outcome verify_lines(const lines& all, const log_of_chain& of, bool with_state) {
    return verify({joined(all)}, of, with_state);
}

} // namespace

TEST_CASE("a log that nobody touched is whole, in pieces of any size and in several files") {
    const log_of_chain log(size_of_log);
    const std::string text = joined(log.written);
    for (std::size_t piece = 1; piece < text.size(); piece += 1 + piece / 8) {
        const outcome found = verify({text}, log, true, piece);
        CHECK(found.text().empty());
        CHECK(found.totals.good == size_of_log);
        CHECK(found.totals.last == size_of_log);
    }
    for (std::size_t split = 0; split <= size_of_log; ++split) {
        const auto middle = log.written.begin() + static_cast<std::ptrdiff_t>(split);
        CHECK(verify({joined({log.written.begin(), middle}), joined({middle, log.written.end()})},
                     log)
                  .text()
                  .empty());
    }
}

TEST_CASE("a line that was removed is found and named, wherever it stood") {
    const log_of_chain log(size_of_log);
    for (const bool with_state : {true, false})
        for (std::size_t at = 0; at < size_of_log; ++at) {
            CAPTURE(at);
            lines changed = log.written;
            changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
            const outcome found = verify_lines(changed, log, with_state);
            const bool is_last = at + 1 == size_of_log;
            CAPTURE(found.text());
            if (is_last && !with_state) {
                CHECK(found.findings.empty());
                continue;
            }
            CHECK(found.is_one(is_last ? audit_fault::truncated : audit_fault::removed,
                               is_last ? at : at + 1));
            CHECK(found.findings.at(0).first == at + 1);
            CHECK(found.findings.at(0).last == at + 1);
        }
}

TEST_CASE("lines cut off at the end are found with the stored state, however many") {
    const log_of_chain log(size_of_log);
    for (std::size_t left = 0; left < size_of_log; ++left) {
        CAPTURE(left);
        const lines cut(log.written.begin(),
                        log.written.begin() + static_cast<std::ptrdiff_t>(left));
        const outcome found = verify_lines(cut, log, true);
        CAPTURE(found.text());
        CHECK(found.is_one(audit_fault::truncated, left));
        CHECK(found.findings.at(0).first == left + 1);
        CHECK(found.findings.at(0).last == size_of_log);
        CHECK(found.findings.at(0).count == size_of_log - left);
    }
}

TEST_CASE("a line that was changed is found and named, wherever it stands") {
    const log_of_chain log(size_of_log);
    for (const bool with_state : {true, false})
        for (std::size_t at = 0; at < size_of_log; ++at) {
            CAPTURE(at);
            lines changed = log.written;
            changed[at].replace(changed[at].find("add"), 3, "bad");
            CHECK(verify_lines(changed, log, with_state).is_one(audit_fault::changed, at + 1));
            changed[at] = "nothing of the kind\n";
            CHECK(verify_lines(changed, log, with_state).is_one(audit_fault::changed, at + 1));
        }
}

TEST_CASE("no octet of a line can be another one unnoticed, nor be left out or come in addition") {
    const log_of_chain log(5);
    for (const std::size_t line : {0U, 2U, 4U})
        for (std::size_t at = 0; at < log.written[line].size(); ++at)
            for (int bit = 0; bit < 8; ++bit) {
                CAPTURE(line);
                CAPTURE(at);
                lines changed = log.written;
                changed[line][at] = static_cast<char>(changed[line][at] ^ (1 << bit));
                const outcome found = verify_lines(changed, log, true);
                REQUIRE_FALSE(found.findings.empty());
                CHECK(found.findings[0].line == line + 1);
                CHECK_FALSE(verify_lines(changed, log, false).findings.empty());
                if (bit != 0)
                    continue;
                changed = log.written;
                changed[line].erase(at, 1);
                CHECK_FALSE(verify_lines(changed, log, true).findings.empty());
                changed[line].insert(at, 2, '0');
                CHECK_FALSE(verify_lines(changed, log, true).findings.empty());
            }
}

TEST_CASE("lines that changed places are found and named") {
    const log_of_chain log(size_of_log);
    for (std::size_t a = 0; a < size_of_log; ++a)
        for (std::size_t b = a + 1; b < size_of_log; ++b) {
            CAPTURE(a);
            CAPTURE(b);
            lines changed = log.written;
            std::swap(changed[a], changed[b]);
            const outcome found = verify_lines(changed, log, true);
            CAPTURE(found.text());
            REQUIRE(found.findings.size() == (b == a + 1 ? 1 : 2));
            CHECK(found.findings[0].fault == audit_fault::moved);
            CHECK(found.findings[0].line == a + 1);
            CHECK(found.findings[0].first == b + 1);
            // Of three lines that stand the wrong way round any two have moved.
            if (b > a + 2) {
                CHECK(found.findings[1].fault == audit_fault::moved);
                CHECK(found.findings[1].line == b + 1);
                CHECK(found.findings[1].first == a + 1);
            }
        }
}

TEST_CASE("a line that stands there again is found and named, wherever it does") {
    const log_of_chain log(size_of_log);
    for (std::size_t from = 0; from < size_of_log; ++from)
        for (std::size_t to = from + 1; to <= size_of_log; ++to) {
            lines changed = log.written;
            changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(to), log.written[from]);
            const outcome found = verify_lines(changed, log, true);
            CAPTURE(found.text());
            CHECK(found.is_one(audit_fault::repeated, to + 1));
            CHECK(found.findings.at(0).first == from + 1);
        }
    // Before its place the first of the two is the one that does not belong there.
    for (std::size_t from = 1; from < size_of_log; ++from)
        for (std::size_t to = 0; to < from; ++to) {
            lines changed = log.written;
            changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(to), log.written[from]);
            const outcome found = verify_lines(changed, log, true);
            CAPTURE(found.text());
            CHECK(found.findings.size() == 2);
            CHECK(found.findings.at(0).line == to + 1);
            CHECK(found.findings.at(1).fault == audit_fault::repeated);
        }
}

TEST_CASE("a line that was put in between is found and named, wherever it stands") {
    const log_of_chain log(size_of_log);
    log_of_chain other(size_of_log);
    other.chain = audit_chain(audit_key::random());
    const lines strange = {"\n", "{}\n", "nothing of the kind\n",
                           other.chain.line("\"event\":\"add\"")};
    for (std::size_t at = 0; at <= size_of_log; ++at)
        for (const std::string& each : strange) {
            CAPTURE(at);
            CAPTURE(each);
            lines changed = log.written;
            changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), each);
            const outcome found = verify_lines(changed, log, true);
            CAPTURE(found.text());
            CHECK(found.is_one(audit_fault::inserted, at + 1));
        }
}

TEST_CASE("a log that ends within a line says so") {
    const log_of_chain log(size_of_log);
    const std::string text = joined(log.written);
    const std::size_t last = log.written.back().size();
    for (std::size_t cut = 1; cut < last; ++cut) {
        CAPTURE(cut);
        const outcome found = verify({text.substr(0, text.size() - cut)}, log);
        CAPTURE(found.text());
        CHECK(found.is_one(audit_fault::cut, size_of_log));
    }
}

TEST_CASE("several things in one log are all found") {
    const log_of_chain log(20);
    lines changed = log.written;
    changed[17] = "x\n";
    changed.erase(changed.begin() + 9, changed.begin() + 12);
    changed.insert(changed.begin() + 5, log.written[2]);
    changed[1][20] ^= 1;
    changed.pop_back();
    CHECK(verify_lines(changed, log, true).text() == "changed 1:2 2-2 x1\n"
                                                     "repeated 1:6 3-3 x1\n"
                                                     "changed 1:16 0-0 x1\n"
                                                     "truncated 1:17 20-20 x1\n"
                                                     "removed 1:11 10-12 x3\n");
}

TEST_CASE("a file that is missing in the middle is found, and files in the wrong order") {
    const log_of_chain log(9);
    std::vector<std::string> files;
    for (std::ptrdiff_t i = 0; i < 9; i += 3)
        files.push_back(joined({log.written.begin() + i, log.written.begin() + i + 3}));
    CHECK(verify(files, log).text().empty());
    CHECK(verify({files[0], files[2]}, log).text() == "removed 2:1 4-6 x3\n");
    CHECK(verify({files[1], files[2]}, log).text() == "removed 1:1 1-3 x3\n");
    CHECK(verify({files[0], files[1]}, log).text() == "truncated 2:3 7-9 x3\n");
    CHECK_FALSE(verify({files[1], files[0], files[2]}, log).text().empty());
    CHECK(verify({}, log).text() == "truncated 0:0 1-9 x9\n");
}

TEST_CASE("what stood there before the chain began is counted, and nothing can be added to it") {
    const log_of_chain log(3, "{\"time\":\"old\"}\nanother\n");
    const outcome whole = verify_lines(log.written, log, true);
    CHECK(whole.text().empty());
    CHECK(whole.totals.before == 2);
    lines changed = log.written;
    changed[0] += "more\n";
    CHECK(verify_lines(changed, log, true).findings.size() == 3);
    changed = log.written;
    changed.erase(changed.begin());
    changed.insert(changed.begin() + 1, log.written[0]);
    CHECK(verify_lines(changed, log, true).findings.size() == 2);
}

TEST_CASE("a stored state tells a chain of its own from another one, and may be one line behind") {
    log_of_chain log(4);
    log_of_chain behind(3);
    behind.written = log.written;
    CHECK(verify_lines(behind.written, behind, true).text().empty());
    log.chain = audit_chain(audit_key::random());
    CHECK(verify_lines(log.written, log, true).is_one(audit_fault::wrong_state, 4));
}

TEST_CASE("with another first key no line is authentic") {
    log_of_chain log(4);
    log.first = audit_key::random();
    const outcome found = verify_lines(log.written, log, false);
    CHECK(found.totals.good == 0);
    CHECK(found.findings.size() == 4);
}

TEST_CASE("a line that never ends takes no memory, and those after it are verified") {
    const log_of_chain log(3);
    for (const std::size_t size : {crypto::longest_audit_line - 2, crypto::longest_audit_line - 1,
                                   crypto::longest_audit_line, 3 * crypto::longest_audit_line}) {
        lines changed = log.written;
        changed.insert(changed.begin() + 1, std::string(size, 'x') + '\n');
        for (const std::size_t piece : {std::size_t{65536}, std::string::npos})
            CHECK(verify({joined(changed)}, log, true, piece).is_one(audit_fault::inserted, 2));
    }
}

TEST_CASE("thousands of strange lines in a row are told in bounded space") {
    const log_of_chain log(3);
    lines changed = log.written;
    std::string garbage;
    for (int i = 0; i < 10000; ++i)
        garbage += "garbage\n";
    changed.insert(changed.begin() + 1, garbage);
    const outcome found = verify_lines(changed, log, true);
    CHECK(found.findings.size() == 4097);
    CHECK(found.findings.back().count == 10000 - 4096);
    CHECK(found.totals.good == 3);
}

TEST_CASE("numbers far beyond any log cost nothing") {
    const log_of_chain log(3);
    lines changed = log.written;
    const std::string tag = log.written[0].substr(log.written[0].find(",\"tag\""));
    changed.insert(changed.begin() + 1, R"({"number":18446744073709551615,"a":1)" + tag);
    CHECK(verify_lines(changed, log, true).is_one(audit_fault::inserted, 2));
}

TEST_CASE("long logs are verified across the marks of their keys, in order or not") {
    const log_of_chain log(5000);
    CHECK(verify_lines(log.written, log, true).text().empty());
    lines changed = log.written;
    std::swap(changed[10], changed[4000]);
    changed.erase(changed.begin() + 1500, changed.begin() + 3500);
    const outcome found = verify_lines(changed, log, true);
    CHECK(found.text() == "moved 1:11 4001-4001 x1\n"
                          "moved 1:2001 11-11 x1\n"
                          "removed 1:1501 1501-3500 x2000\n");
}

TEST_CASE("whatever is done to a log at random is noticed") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    const log_of_chain log(size_of_log);
    const std::string text = joined(log.written);
    for (int round = 0; round < 3000; ++round) {
        lines changed = log.written;
        for (unsigned step = 0; step <= random() % 4; ++step) {
            if (changed.empty())
                break;
            const auto at = static_cast<std::ptrdiff_t>(random() % changed.size());
            const auto to = static_cast<std::ptrdiff_t>(random() % changed.size());
            switch (random() % 5) {
            case 0:
                changed.erase(changed.begin() + at);
                break;
            case 1:
                changed.insert(changed.begin() + at, changed[static_cast<std::size_t>(to)]);
                break;
            case 2:
                std::swap(changed[static_cast<std::size_t>(at)],
                          changed[static_cast<std::size_t>(to)]);
                break;
            case 3: {
                std::string& line = changed[static_cast<std::size_t>(at)];
                line[random() % line.size()] ^= 1;
                break;
            }
            default:
                changed.insert(changed.begin() + at, "strange\n");
            }
        }
        CHECK(verify_lines(changed, log, true).text().empty() == (joined(changed) == text));
    }
}

TEST_CASE("every fault has a word of its own") {
    std::vector<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(audit_fault::wrong_state); ++i)
        words.push_back(to_string(static_cast<audit_fault>(i)));
    std::sort(words.begin(), words.end());
    CHECK(std::adjacent_find(words.begin(), words.end()) == words.end());
    CHECK(std::find(words.begin(), words.end(), "unknown") == words.end());
}

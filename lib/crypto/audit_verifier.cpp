// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <flowtap/crypto/audit_line_reader.hpp>
#include <flowtap/crypto/audit_verifier.hpp>

#include "audit_keys.hpp"

namespace flowtap::crypto {

namespace {

/// How far ahead of its place a line may claim to be before it counts as changed. The keys up to
/// there have to be made, some ten seconds at most.
constexpr std::uint64_t farthest_ahead = std::uint64_t{1} << 26U;

/// Lines in a row that are not authentic and still told one by one.
constexpr std::size_t most_told = 4096;

struct place {
    std::size_t file = 0;
    std::uint64_t line = 0;
};

/// A line that is not authentic, and the number that it claims to have.
struct bad_line {
    place where;
    std::uint64_t claimed = 0;
    bool has_end = true;
    bool stands_in = false;
};

/// Lines in a row that are not authentic. Which of them stand in for lines that are missing shows
/// with the next authentic one.
struct bad_run {
    std::vector<bad_line> lines;
    /// Beyond those.
    std::uint64_t more = 0;
    std::uint64_t octets = 0;

    bool empty() const noexcept { return lines.empty(); }
    std::uint64_t size() const noexcept { return lines.size() + more; }
};

/// Numbers that were not there where they should have been.
struct gap {
    std::uint64_t last = 0;
    /// The line after it.
    place where;
    /// Numbers that were found elsewhere.
    std::set<std::uint64_t> found;
    /// Lines that are there, but changed.
    std::uint64_t replaced = 0;
};

/// An authentic line that is ahead of its place: after a gap, or moved, as the next one shows.
struct ahead {
    std::uint64_t number = 0;
    std::uint64_t before = 0;
    place where;
};

} // namespace

std::string_view to_string(audit_fault fault) {
    switch (fault) {
    case audit_fault::changed:
        return "changed";
    case audit_fault::inserted:
        return "inserted";
    case audit_fault::removed:
        return "removed";
    case audit_fault::repeated:
        return "repeated";
    case audit_fault::moved:
        return "moved";
    case audit_fault::cut:
        return "cut";
    case audit_fault::truncated:
        return "truncated";
    case audit_fault::wrong_state:
        return "wrong-state";
    }
    return "unknown";
}

struct audit_verifier::implementation {
    implementation(const audit_key& first, report to) : keys(first), tell(std::move(to)) {}

    void take(const raw_audit_line& raw);
    void take_authentic(const audit_line& line, const raw_audit_line& raw);
    void place_authentic(std::uint64_t number, std::uint64_t before, place where);
    void take_bad(std::uint64_t claimed, const raw_audit_line& raw);
    void accept(std::uint64_t number, std::uint64_t before, place where);
    std::uint64_t settle_run(std::uint64_t from, std::uint64_t missing);
    bool fill_gap(std::uint64_t number);
    void commit_held();
    void report_gaps();
    void settle_early();
    void report_end(const audit_chain& stored);
    void found(audit_fault fault, place where, std::uint64_t first = 0, std::uint64_t last = 0,
               std::uint64_t count = 1);

    detail::audit_keys keys;
    hmac_sha256 hash{""};
    report tell;
    audit_line_reader reader;
    audit_totals totals;
    /// The last line there was.
    place here;
    std::size_t files_ended = 0;
    /// The number that comes next.
    std::uint64_t expected = 1;
    bad_run run;
    std::optional<ahead> held;
    /// By their first numbers.
    std::map<std::uint64_t, gap> gaps;
    /// Numbers that stood before their place, which has not come yet.
    std::set<std::uint64_t> early;
};

void audit_verifier::implementation::found(audit_fault fault, place where, std::uint64_t first,
                                           std::uint64_t last, std::uint64_t count) {
    ++totals.findings;
    tell({fault, where.file, where.line, first, std::max(first, last), count});
}

void audit_verifier::implementation::take(const raw_audit_line& raw) {
    if (here.file != files_ended + 1)
        here = {files_ended + 1, 0};
    ++here.line;
    ++totals.lines;
    const auto line = raw.is_too_long ? std::nullopt : read_audit_line(raw.text);
    if (!line)
        return take_bad(0, raw);
    const bool in_reach = line->number < expected || line->number - expected <= farthest_ahead;
    if (!in_reach || !is_authentic(*line, keys.at(line->number), hash))
        return take_bad(line->number, raw);
    take_authentic(*line, raw);
}

void audit_verifier::implementation::take_bad(std::uint64_t claimed, const raw_audit_line& raw) {
    commit_held();
    run.octets += raw.octets;
    if (run.lines.size() < most_told)
        run.lines.push_back({here, claimed, raw.has_end});
    else
        ++run.more;
}

void audit_verifier::implementation::take_authentic(const audit_line& line,
                                                    const raw_audit_line& raw) {
    if (!raw.has_end)
        found(audit_fault::cut, here, line.number);
    if (held && line.number == held->number)
        return found(audit_fault::repeated, here, line.number);
    if (held && line.number >= expected && line.number < held->number) {
        // What comes next shows that the one before was not after a gap, but too early.
        found(audit_fault::moved, held->where, held->number);
        early.insert(held->number);
        held.reset();
    }
    commit_held();
    place_authentic(line.number, line.before, here);
}

void audit_verifier::implementation::place_authentic(std::uint64_t number, std::uint64_t before,
                                                     place where) {
    if (number == expected)
        return accept(number, before, where);
    if (number > expected) {
        if (early.contains(number))
            return found(audit_fault::repeated, where, number);
        // With others in between it is clear already that lines are missing.
        held = ahead{number, before, where};
        if (!run.empty())
            commit_held();
        return;
    }
    found(fill_gap(number) ? audit_fault::moved : audit_fault::repeated, where, number);
}

/// Takes a number out of the gap it was missed in. False if it was not missed.
bool audit_verifier::implementation::fill_gap(std::uint64_t number) {
    auto after = gaps.upper_bound(number);
    if (after == gaps.begin())
        return false;
    gap& in = std::prev(after)->second;
    return number <= in.last && in.found.insert(number).second;
}

void audit_verifier::implementation::commit_held() {
    if (!held)
        return;
    const ahead known = *std::exchange(held, std::nullopt);
    accept(known.number, known.before, known.where);
}

/// An authentic line in its place, perhaps after a gap.
void audit_verifier::implementation::accept(std::uint64_t number, std::uint64_t before,
                                            place where) {
    gap missed{number - 1, where, {}, 0};
    for (auto each = early.begin(); each != early.end() && *each < number; each = early.erase(each))
        missed.found.insert(*each);
    const std::uint64_t size = number - expected;
    if (number == 1 && before != 0 && run.octets == before) {
        // The file is older than the chain, which begins here.
        totals.before = run.size();
        run = {};
    }
    missed.replaced = settle_run(expected, size - missed.found.size());
    if (size != 0)
        gaps.emplace(expected, std::move(missed));
    ++totals.good;
    expected = number + 1;
    totals.last = number;
    while (!early.empty() && *early.begin() == expected) {
        totals.last = expected++;
        early.erase(early.begin());
    }
}

/// Tells what the lines that are not authentic are, when so many numbers are missing from `from`
/// on. Returns how many of those they stand in for.
std::uint64_t audit_verifier::implementation::settle_run(std::uint64_t from,
                                                         std::uint64_t missing) {
    std::uint64_t left = missing;
    std::set<std::uint64_t> taken;
    // Those that say which one they are come first.
    for (bad_line& each : run.lines)
        if (left != 0 && each.claimed >= from && each.claimed - from < missing &&
            taken.insert(each.claimed).second) {
            each.stands_in = true;
            --left;
        }
    for (bad_line& each : run.lines) {
        if (left != 0 && !each.stands_in) {
            each.stands_in = true;
            --left;
        }
        const audit_fault fault = !each.has_end    ? audit_fault::cut
                                  : each.stands_in ? audit_fault::changed
                                                   : audit_fault::inserted;
        found(fault, each.where, each.claimed);
    }
    if (run.more != 0) {
        const place behind{run.lines.back().where.file, run.lines.back().where.line + 1};
        const std::uint64_t changed = std::min(left, run.more);
        left -= changed;
        found(changed != 0 ? audit_fault::changed : audit_fault::inserted, behind, 0, 0, run.more);
    }
    run = {};
    return missing - left;
}

void audit_verifier::implementation::report_gaps() {
    for (const auto& [begin, in] : gaps) {
        const std::uint64_t size = in.last - begin + 1;
        const std::uint64_t there = in.found.size() + in.replaced;
        if (there >= size)
            continue;
        std::uint64_t first = begin;
        std::uint64_t last = in.last;
        while (in.found.contains(first))
            ++first;
        while (in.found.contains(last))
            --last;
        found(audit_fault::removed, in.where, first, last, size - there);
    }
}

/// Numbers may be missing before a line that stood too early and whose place never came.
void audit_verifier::implementation::settle_early() {
    if (early.empty())
        return;
    const std::uint64_t last = *early.rbegin();
    early.erase(last);
    accept(last, 0, here);
    --totals.good;
}

void audit_verifier::implementation::report_end(const audit_chain& stored) {
    const std::uint64_t next = stored.next();
    const bool in_reach = next < expected || next - expected <= farthest_ahead;
    if (!in_reach || !(keys.at(next) == stored.key())) {
        found(audit_fault::wrong_state, here, next);
        settle_run(expected, run.size());
        return;
    }
    const std::uint64_t missing = next > expected ? next - expected : 0;
    // Whoever changes the last lines does not remove them.
    const std::uint64_t replaced = settle_run(expected, missing);
    if (missing > replaced)
        found(audit_fault::truncated, here, expected + replaced, next - 1, missing - replaced);
}

audit_verifier::audit_verifier(const audit_key& first, report to)
    : implementation_(std::make_unique<implementation>(first, std::move(to))) {}

audit_verifier::~audit_verifier() = default;

void audit_verifier::put(std::string_view octets) {
    implementation_->reader.put(
        octets, [this](const raw_audit_line& line) { implementation_->take(line); });
}

void audit_verifier::end_file() {
    implementation_->reader.end(
        [this](const raw_audit_line& line) { implementation_->take(line); });
    ++implementation_->files_ended;
}

audit_totals audit_verifier::finish(const std::optional<audit_chain>& stored) {
    implementation& all = *implementation_;
    all.commit_held();
    all.settle_early();
    if (stored)
        all.report_end(*stored);
    else
        all.settle_run(all.expected, all.run.size());
    all.report_gaps();
    return all.totals;
}

} // namespace flowtap::crypto

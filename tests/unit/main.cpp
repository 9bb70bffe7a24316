// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

namespace {

/// Names every case at its end when FLOWTAP_NAME_CASES is set, so that a script can tell which ran:
/// `CASE passed: name`, `CASE failed: name`. A line `SKIPPED: reason` before it belongs to it.
class case_names : public doctest::IReporter {
public:
    explicit case_names(const doctest::ContextOptions&) {}

    void test_case_start(const doctest::TestCaseData& in) override { current_ = in.m_name; }

    void test_case_end(const doctest::CurrentTestCaseStats& in) override {
        if (is_wanted_)
            std::cout << (in.failure_flags == 0 ? "CASE passed: " : "CASE failed: ") << current_
                      << '\n';
    }

    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}

private:
    bool is_wanted_ = std::getenv("FLOWTAP_NAME_CASES") != nullptr;
    const char* current_ = "";
};

} // namespace

REGISTER_LISTENER("case_names", 1, case_names);

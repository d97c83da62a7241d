#include "anon/publication.h"

#include "base/clock.h"
#include "test.h"

static void least(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_default(&p);
    for (int64_t step = 0; step < 2000; step++) {
        struct publication_row rows[] = {{1, 12, 249}, {2, 2, 100000}, {3, 3, 100000}};
        size_t n = publication_rows(&p, 5, step * p.step, rows, 3);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(rows[i].key, 3);
    }
}

static void rounded(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_open(&p);
    p.round = 2;
    static const uint64_t before[] = {1, 2, 3, 4, 100, 1000, 1024},
                          after[] = {1, 2, 3, 4, 91, 724, 1024};
    for (size_t i = 0; i < 7; i++) {
        struct publication_row row = {1, 1, before[i]};
        assert_int_equal(publication_rows(&p, 1, 0, &row, 1), 1);
        assert_int_equal(row.sources, after[i]);
    }
}

/* Who asks twice gets the same twice: noise does not average out. */
static void same(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_default(&p);
    p.round = 0;
    struct publication_row a = {7, 5, 5000}, b = a, c = a;
    publication_rows(&p, 1, 0, &a, 1);
    publication_rows(&p, 1, 0, &b, 1);
    publication_rows(&p, 2, 0, &c, 1);
    assert_int_equal(a.sources, b.sources);
    assert_int_not_equal(a.sources, c.sources);
    assert_int_equal(publication_time(&p, 1, 0), publication_time(&p, 1, 0));
}

static void largest(void **state)
{
    (void)state;
    struct publication_policy p;
    struct publication_row rows[100];
    publication_open(&p);
    p.most_rows = 10;
    for (uint32_t i = 0; i < 100; i++)
        rows[i] = (struct publication_row){i, 1, 1 + (i * 37) % 100};
    assert_int_equal(publication_rows(&p, 1, 0, rows, 100), 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(rows[i].sources, 100 - i);
}

static void late(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_default(&p);
    int64_t first = INT64_MAX, last = 0;
    for (int64_t i = 0; i < 1000; i++) {
        int64_t wait = publication_time(&p, 9, i * p.step) - (i + 1) * p.step;
        first = wait < first ? wait : first;
        last = wait > last ? wait : last;
    }
    assert_true(first >= p.delay && first < p.delay + US_MINUTE);
    assert_true(last <= p.delay + p.jitter && last > p.delay + p.jitter - US_MINUTE);
}

static void documents(void **state)
{
    (void)state;
    struct publication_policy p, again;
    struct fault f;
    publication_default(&p);
    json_t *document = publication_json(&p);
    publication_open(&again);
    assert_int_equal(publication_read(&again, document, &f), OK);
    json_t *second = publication_json(&again);
    assert_true(json_equal(document, second));
    json_decref(document);
    json_decref(second);
    static const char *const bad[] = {"{\"noise\": 2}", "{\"step\": \"1s\"}", "{\"least\": 1}",
        "{\"merge_sites\": 1}", "{\"least_sites\": 0}", "[]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        document = json_loads(bad[i], 0, NULL);
        assert_int_equal(publication_read(&again, document, &f), ERR_BAD);
        json_decref(document);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("what too few sources or sites saw has no row, whatever the noise", least),
    SAYS("counts go down to powers of the root of two", rounded),
    SAYS("the same step has the same noise, another hub another", same),
    SAYS("only the largest rows are left, in order", largest),
    SAYS("a step comes out after its delay and jitter, and is spread over them", late),
    SAYS("a policy reads back, and members out of range are refused", documents),
};
TEST_MAIN(tests)

#include "test.h"

#include "bus/nats.h"

static enum err clear(const char *url, struct fault *f)
{
    return bus_clear_check(&url, 1, f);
}

static void loopback(void **state)
{
    static const char *const may[] = {"nats://127.0.0.1:4222", "nats://127.9.8.7:4222",
        "nats://localhost:4222", "nats://[::1]:4222"};
    struct fault f;
    (void)state;
    for (size_t i = 0; i < sizeof may / sizeof *may; i++)
        assert_int_equal(clear(may[i], &f), OK);
    assert_int_equal(bus_clear_check(may, sizeof may / sizeof *may, &f), OK);
    assert_int_equal(bus_clear_check(NULL, 0, &f), OK);
}

static void beyond(void **state)
{
    static const char *const may_not[] = {"nats://192.0.2.1:4222", "nats://0.0.0.0:4222",
        "nats://localhost.example:4222", "nats://127.0.0.1.example:4222",
        "nats://1270.0.1:4222", "nats://[::]:4222", "nats://[2001:db8::1]:4222",
        "nats://hub.example:4222", "nats://user@hub.example:4222",
        "nats://127.0.0.1@192.0.2.1:4222"};
    struct fault f;
    (void)state;
    for (size_t i = 0; i < sizeof may_not / sizeof *may_not; i++) {
        assert_int_equal(clear(may_not[i], &f), ERR_BAD);
        assert_non_null(strstr(f.text, may_not[i]));
        assert_non_null(strstr(f.text, "is not loopback"));
    }
}

static void one_of_several(void **state)
{
    static const char *const servers[] = {
        "nats://127.0.0.1:4222", "nats://192.0.2.1:4222", "nats://192.0.2.2:4222"};
    struct fault f;
    (void)state;
    assert_int_equal(bus_clear_check(servers, 3, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "192.0.2.1:4222"));
    assert_int_equal(bus_clear_check(servers, 1, &f), OK);
}

static void checked_again(void **state)
{
    struct bus *bus = NULL;
    struct fault f;
    struct bus_nats_options o = {.servers = {"nats://192.0.2.1:4222"}, .server_count = 1};
    (void)state;
    assert_int_equal(bus_nats_open(&bus, &o, &f), ERR_BAD);
    assert_null(bus);
    assert_non_null(strstr(f.text, "is not loopback"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAYS("servers on loopback may be spoken to without a certificate", loopback),
        SAYS("no other server may, and names that look like loopback are others", beyond),
        SAYS("of several servers the first that may not is named", one_of_several),
        SAYS("a bus does not open to a server that may not be spoken to in clear",
            checked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "record/proto.h"
#include "test.h"

static void every_number_returns(void **state)
{
    (void)state;
    for (unsigned p = 0; p < 256; p++) {
        char text[PROTO_TEXT];
        uint8_t back = 0;
        assert_int_equal(proto_parse(proto_format((uint8_t)p, text), &back), OK);
        assert_int_equal(back, p);
    }
    char text[PROTO_TEXT];
    assert_string_equal(proto_format(PROTO_TCP, text), "tcp");
    assert_string_equal(proto_format(47, text), "47");
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "TCP", "tcp ", "256", "1000", "-1", "06", "0x6", "6 "};
    uint8_t proto = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(proto_parse(bad[i], &proto), ERR_BAD);
    assert_int_equal(proto, 99);
}

static const struct CMUnitTest tests[] = {
    SAYS("every protocol number has a text that leads back", every_number_returns),
    SAYS("what is neither word nor number is refused", nonsense_is_refused),
};
TEST_MAIN(tests)

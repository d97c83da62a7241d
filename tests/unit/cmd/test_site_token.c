#include "test.h"

#include "cmd/site_post.h"
#include "cmd/site_token.h"

static const struct site_token sample = {"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP_",
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};

static void a_token_that_was_written_is_read(void **state)
{
    (void)state;
    char text[SITE_TOKEN];
    struct site_token t;
    struct fault f;
    site_token_write(&sample, text);
    assert_int_equal(site_token_read(text, &t, &f), OK);
    assert_string_equal(t.secret, sample.secret);
    assert_string_equal(t.fingerprint, sample.fingerprint);
}

static void any_mistyped_character_of_a_token_is_found(void **state)
{
    (void)state;
    char text[SITE_TOKEN];
    struct site_token t;
    struct fault f;
    site_token_write(&sample, text);
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];
        text[i] = was == '0' ? '1' : '0';
        assert_int_equal(site_token_read(text, &t, &f), ERR_BAD);
        text[i] = was;
    }
    for (size_t cut = 0; cut < len; cut++) {
        char was = text[cut];
        text[cut] = 0;
        assert_int_equal(site_token_read(text, &t, &f), ERR_BAD);
        text[cut] = was;
    }
    memcpy(text + len - 4, "0000", 4);
    assert_int_equal(site_token_read(text, &t, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "mistyped"));
}

static void a_token_of_an_earlier_version_is_taken(void **state)
{
    (void)state;
    char text[SITE_TOKEN];
    struct site_token t;
    struct fault f;
    snprintf(text, sizeof text, "kz1.%s.%s", sample.secret, sample.fingerprint);
    assert_int_equal(site_token_read(text, &t, &f), OK);
    assert_string_equal(t.fingerprint, sample.fingerprint);
    text[strlen(text) - 1] = 0;
    assert_int_equal(site_token_read(text, &t, &f), ERR_BAD);
}

static void the_url_of_a_hub_is_one_that_can_be_reached_safely(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "hub", "https://", "https://hub:99999",
        "https://hub:0", "http://hub:8480", "http://127.0.0.1:1@hub:8480", "https://a@hub",
        "ftp://hub", "https://hub?a", NULL};
    static const char *const good[][2] = {
        {"https://hub.example:8480", "https://hub.example:8480"},
        {"https://hub.example:8480/", "https://hub.example:8480"},
        {"http://127.0.0.1:8480//", "http://127.0.0.1:8480"},
        {"http://[::1]:8480", "http://[::1]:8480"},
        {"https://proxy.example/kizashi/", "https://proxy.example/kizashi"}};
    char url[SITE_URL_MAX];
    struct fault f;
    for (size_t i = 0; bad[i]; i++) {
        assert_int_equal(site_url_read("--url", bad[i], url, &f), ERR_BAD);
        assert_memory_equal(f.text, "--url: ", 7);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(site_url_read("--url", good[i][0], url, &f), OK);
        assert_string_equal(url, good[i][1]);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("a token that was written is read", a_token_that_was_written_is_read),
    SAYS("any mistyped character of a token is found, and so is a missing end",
        any_mistyped_character_of_a_token_is_found),
    SAYS("a token of an earlier version, without a check, is taken",
        a_token_of_an_earlier_version_is_taken),
    SAYS("the URL of a hub is one that can be reached, and in clear on loopback only",
        the_url_of_a_hub_is_one_that_can_be_reached_safely),
};

TEST_MAIN(tests)

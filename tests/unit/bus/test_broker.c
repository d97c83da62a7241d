#include "test.h"

#include "base/clock.h"
#include "bus/broker.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Listen somewhere on loopback; the address as text. */
static int listener(char address[32])
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s >= 0);
    assert_int_equal(bind(s, (const struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(s, 1), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&in, &len), 0);
    snprintf(address, 32, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    return s;
}

static void taken(void **state)
{
    struct fault f;
    char address[32];
    (void)state;
    int s = listener(address);
    assert_int_equal(broker_listen_check(address, 0, &f), ERR_BUSY);
    assert_non_null(strstr(f.text, address));
    assert_non_null(strstr(f.text, "another program listens there already"));
    close(s);
    assert_int_equal(broker_listen_check(address, 0, &f), OK);
}

struct leaving {
    int socket;
};

static void *leave(void *context)
{
    const struct leaving *l = context;
    usleep(150 * 1000);
    close(l->socket);
    return NULL;
}

static void ending_soon(void **state)
{
    struct fault f;
    char address[32];
    pthread_t thread;
    (void)state;
    struct leaving l = {listener(address)};
    assert_int_equal(pthread_create(&thread, NULL, leave, &l), 0);
    assert_int_equal(broker_listen_check(address, 60 * US_SECOND, &f), OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void not_ours(void **state)
{
    struct fault f;
    (void)state;
    assert_int_equal(broker_listen_check("192.0.2.1:4222", 0, &f), ERR_IO);
    assert_non_null(strstr(f.text, "192.0.2.1:4222: Cannot assign requested address"));
    assert_int_equal(broker_listen_check("nonsense", 0, &f), ERR_BAD);
    assert_int_equal(broker_listen_check("[127.0.0.1:1", 0, &f), ERR_BAD);
    assert_int_equal(broker_listen_check("[::1]:0", 0, &f), OK);
    assert_int_equal(broker_listen_check(":0", 0, &f), OK);
}

static void log_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void ending_told(void **state)
{
    char path[] = "/tmp/kizashi-broker-XXXXXX";
    char why[BROKER_ENDING] = "";
    static const char fatal[] = "[7] 2026/11/23 16:06:57.992320 [FTL] Error listening on port: "
                                "127.0.0.1:14222, \"address already in use\"\n";
    static const char ready[] = "[9] 2026/11/23 16:06:58.992320 [INF] Server is ready\n";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_false(broker_ending(path, 0, why));
    log_write(path, ready);
    assert_false(broker_ending(path, 0, why));
    log_write(path, fatal);
    assert_true(broker_ending(path, 0, why));
    assert_string_equal(
        why, "Error listening on port: 127.0.0.1:14222, 'address already in use'");
    /* What an earlier hub's server said is not told of this one's. */
    assert_false(broker_ending(path, (int64_t)(strlen(ready) + strlen(fatal)), why));
    for (int i = 0; i < 200; i++)
        log_write(path, "[9] 2026/11/23 16:06:59.000000 [INF] a line of its beginning\n");
    log_write(path, fatal);
    assert_true(broker_ending(path, 0, why));
    log_write(path, ready);
    assert_false(broker_ending(path, 0, why));
    unlink(path);
    assert_false(broker_ending(path, 0, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAYS("an address where another program listens is named, with the cause", taken),
        SAYS("an address that is left in time is free", ending_soon),
        SAYS("an address that is not ours, or none, is refused", not_ours),
        SAYS("why the server ended stands in its log until it is ready again", ending_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

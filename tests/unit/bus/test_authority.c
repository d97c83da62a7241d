#include "test.h"

#include "base/clock.h"
#include "bus/authority.h"

#include <openssl/pem.h>
#include <sys/wait.h>
#include <unistd.h>

static const char secret[] = "secret\n";

struct office {
    char folder[64];
    struct authority *authority;
    struct buf key, request;
};

static int office_make(void **state)
{
    struct office *o = calloc(1, sizeof *o);
    struct fault f = {0};
    *state = o;
    snprintf(o->folder, sizeof o->folder, "/tmp/kizashi-authority-XXXXXX");
    buf_init(&o->key, AUTHORITY_PEM_MAX);
    buf_init(&o->request, AUTHORITY_PEM_MAX);
    if (!mkdtemp(o->folder) || authority_open(&o->authority, o->folder, &f) != OK)
        return -1;
    return request_make("site", &o->key, &o->request, &f) == OK ? 0 : -1;
}

static int office_drop(void **state)
{
    static const char *const files[] = {"ca.pem", "ca.key"};
    struct office *o = *state;
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", o->folder, files[i]);
        unlink(path);
    }
    int status = rmdir(o->folder);
    authority_close(o->authority);
    buf_done(&o->key);
    buf_done(&o->request);
    free(o);
    return status;
}

static enum err sign(const struct office *o, const char *request, struct buf *out)
{
    struct fault f = {0};
    char serial[AUTHORITY_SERIAL];
    struct authority_grant grant = {.name = "jp-01", .now = US_DAY, .until = 2 * US_DAY};
    return authority_sign(o->authority, request, &grant, out, serial, &f);
}

static void name_is_the_hubs(void **state)
{
    struct office *o = *state;
    char name[64] = "";
    struct buf pem;
    buf_init(&pem, AUTHORITY_PEM_MAX);
    assert_int_equal(sign(o, (const char *)o->request.data, &pem), OK);
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *c = PEM_read_bio_X509(in, NULL, NULL, NULL);
    assert_non_null(c);
    X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, name, sizeof name);
    assert_string_equal(name, "jp-01");
    X509_free(c);
    BIO_free(in);
    buf_done(&pem);
}

/* The same request, encrypted: PEM allows it. */
static void encrypt(const char *request, char *text, size_t room)
{
    char *data;
    BIO *in = BIO_new_mem_buf(request, -1);
    BIO *out = BIO_new(BIO_s_mem());
    X509_REQ *r = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);
    assert_non_null(r);
    assert_int_equal(
        PEM_ASN1_write_bio((i2d_of_void *)(void (*)(void))i2d_X509_REQ, PEM_STRING_X509_REQ,
            out, r, EVP_aes_256_cbc(), (const unsigned char *)secret, 6, NULL, NULL),
        1);
    long len = BIO_get_mem_data(out, &data);
    snprintf(text, room, "%.*s", (int)len, data);
    X509_REQ_free(r);
    BIO_free(out);
    BIO_free(in);
}

/* In a process without a terminal, whose standard input would answer the question. */
static void nobody_is_asked_for_a_password(void **state)
{
    struct office *o = *state;
    static char text[AUTHORITY_PEM_MAX];
    int ends[2], status = 0;
    encrypt((const char *)o->request.data, text, sizeof text);
    assert_non_null(strstr(text, "ENCRYPTED"));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct buf pem;
        buf_init(&pem, AUTHORITY_PEM_MAX);
        bool ready = setsid() >= 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO;
        _exit(ready && sign(o, text, &pem) == ERR_BAD ? 0 : 1);
    }
    close(ends[0]);
    assert_int_equal(write(ends[1], secret, sizeof secret - 1), sizeof secret - 1);
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("a certificate has the name that the hub gave, not the request's",
        name_is_the_hubs, office_make, office_drop),
    SAYS_WITH("an encrypted request is refused, and nobody is asked for a password",
        nobody_is_asked_for_a_password, office_make, office_drop),
};
TEST_MAIN(tests)

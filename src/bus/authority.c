#include "bus/authority.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_MOST = 4200,
    SERIAL_BYTES = 16,
    DN_SERIAL = 12 /* letters of the serial number in a name */
};

static const char organisation[] = "kizashi";
static const int64_t authority_life = 3650 * US_DAY;
static const int64_t own_left = 30 * US_DAY;

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

static enum err tls_fault(struct fault *f, enum err e, const char *what)
{
    char text[256] = "refused";
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return fault_set(f, e, "%s: %s", what, text);
}

/* ---- files ---- */

static void path_of(const char *folder, const char *name, const char *suffix, char *path)
{
    snprintf(path, PATH_MOST, "%s/%s%s", folder, name, suffix);
}

/* What a writer of PEM gives, as a new file that only its owner reads. */
static enum err file_write(const char *path, BIO *text, struct fault *f)
{
    char fresh[PATH_MOST + 8];
    char *data;
    long len = BIO_get_mem_data(text, &data);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && len > 0 && write(fd, data, (size_t)len) == len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    if (good && rename(fresh, path) == 0)
        return OK;
    enum err e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    unlink(fresh);
    return e;
}

static enum err key_write(const char *path, EVP_PKEY *key, struct fault *f)
{
    BIO *text = BIO_new(BIO_s_mem());
    bool good = text && PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1;
    enum err e = good ? file_write(path, text, f) : tls_fault(f, ERR_NOMEM, path);
    BIO_free(text);
    return e;
}

static enum err certificate_write(const char *path, X509 *certificate, struct fault *f)
{
    BIO *text = BIO_new(BIO_s_mem());
    bool good = text && PEM_write_bio_X509(text, certificate) == 1;
    enum err e = good ? file_write(path, text, f) : tls_fault(f, ERR_NOMEM, path);
    BIO_free(text);
    return e;
}

static X509 *certificate_read(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *c = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return c;
}

static EVP_PKEY *key_read(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return key;
}

/* ---- certificates ---- */

/* PEM may be encrypted, and OpenSSL then asks at the terminal for a password, and waits. What
 * comes from others is read with this answer instead: there is none. */
static int no_password(char *text, int room, int writing, void *context)
{
    (void)text;
    (void)room;
    (void)writing;
    (void)context;
    return -1;
}

static bool name_add(X509_NAME *name, const char *part, const char *text)
{
    return X509_NAME_add_entry_by_txt(
               name, part, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool time_set(ASN1_TIME *t, int64_t us)
{
    return ASN1_TIME_set(t, (time_t)(us / US_SECOND)) != NULL;
}

static bool serial_make(X509 *c, char text[AUTHORITY_SERIAL])
{
    BIGNUM *n = BN_new();
    bool good = n && BN_rand(n, SERIAL_BYTES * 8 - 1, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c));
    char *hex = good ? BN_bn2hex(n) : NULL;
    if (hex)
        snprintf(text, AUTHORITY_SERIAL, "%s", hex);
    for (char *at = text; hex && *at; at++)
        if (*at >= 'A' && *at <= 'F')
            *at = (char)(*at - 'A' + 'a');
    OPENSSL_free(hex);
    BN_free(n);
    return hex != NULL;
}

static bool extension_add(X509 *c, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, c, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = e && X509_add_ext(c, e, -1) == 1;
    X509_EXTENSION_free(e);
    return good;
}

static bool is_address(const char *host)
{
    return strchr(host, ':') || strspn(host, "0123456789.") == strlen(host);
}

static bool hosts_add(X509 *c, X509 *issuer, const struct authority_grant *g)
{
    char text[AUTHORITY_NAMES_MAX * 260] = "";
    size_t used = 0;
    for (size_t i = 0; i < g->host_count && i < AUTHORITY_NAMES_MAX; i++) {
        const char *h = g->hosts[i];
        if (strlen(h) > 253 || strpbrk(h, ",;= "))
            return false;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%s", used ? "," : "",
            is_address(h) ? "IP" : "DNS", h);
    }
    return !g->host_count || extension_add(c, issuer, NID_subject_alt_name, text);
}

static bool usage_add(X509 *c, X509 *issuer, const struct authority_grant *g)
{
    const char *use = g->host_count ? "serverAuth,clientAuth" : "clientAuth";
    return extension_add(c, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           extension_add(c, issuer, NID_key_usage, "critical,digitalSignature") &&
           extension_add(c, issuer, NID_ext_key_usage, use) && hosts_add(c, issuer, g);
}

static bool subject_set(X509 *c, const char *name, const char *serial)
{
    char unit[DN_SERIAL + 1];
    X509_NAME *subject = X509_get_subject_name(c);
    snprintf(unit, sizeof unit, "%s", serial);
    return name_add(subject, "O", organisation) && name_add(subject, "OU", unit) &&
           name_add(subject, "CN", name);
}

void authority_dn(const char *name, const char *serial, char text[AUTHORITY_DN])
{
    snprintf(text, AUTHORITY_DN, "CN=%s,OU=%.*s,O=%s", name, DN_SERIAL, serial, organisation);
}

/* A certificate for a key; NULL: OpenSSL refused. */
static X509 *issue(const struct authority *a, EVP_PKEY *key, const struct authority_grant *g,
    char serial[AUTHORITY_SERIAL])
{
    X509 *c = X509_new();
    bool good = c && X509_set_version(c, X509_VERSION_3) == 1 && serial_make(c, serial) &&
                time_set(X509_getm_notBefore(c), g->now - US_DAY) &&
                time_set(X509_getm_notAfter(c), g->until) && subject_set(c, g->name, serial) &&
                X509_set_issuer_name(c, X509_get_subject_name(a->certificate)) == 1 &&
                X509_set_pubkey(c, key) == 1 && usage_add(c, a->certificate, g) &&
                X509_sign(c, a->key, EVP_sha256()) > 0;
    if (good)
        return c;
    X509_free(c);
    return NULL;
}

static X509 *self_issue(EVP_PKEY *key, int64_t now)
{
    char serial[AUTHORITY_SERIAL];
    X509 *c = X509_new();
    bool good = c && X509_set_version(c, X509_VERSION_3) == 1 && serial_make(c, serial) &&
                time_set(X509_getm_notBefore(c), now - US_DAY) &&
                time_set(X509_getm_notAfter(c), now + authority_life) &&
                subject_set(c, "kizashi hub", serial) &&
                X509_set_issuer_name(c, X509_get_subject_name(c)) == 1 &&
                X509_set_pubkey(c, key) == 1 &&
                extension_add(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                extension_add(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                extension_add(c, c, NID_subject_key_identifier, "hash") &&
                X509_sign(c, key, EVP_sha256()) > 0;
    if (good)
        return c;
    X509_free(c);
    return NULL;
}

/* ---- the authority ---- */

static enum err authority_make(struct authority *a, const char *folder, struct fault *f)
{
    char path[PATH_MOST];
    struct clock wall = clock_system();
    a->key = EVP_EC_gen("P-256");
    a->certificate = a->key ? self_issue(a->key, clock_now(&wall)) : NULL;
    if (!a->certificate)
        return tls_fault(f, ERR_IO, "no certificate authority");
    path_of(folder, "ca", ".key", path);
    enum err e = key_write(path, a->key, f);
    path_of(folder, "ca", ".pem", path);
    return e ? e : certificate_write(path, a->certificate, f);
}

static enum err authority_read(struct authority *a, const char *folder, struct fault *f)
{
    char path[PATH_MOST];
    struct stat st;
    path_of(folder, "ca", ".key", path);
    if (stat(path, &st) == 0 && st.st_mode & 077)
        return fault_set(
            f, ERR_DENIED, "%s: others than its owner may read it: chmod 600", path);
    a->key = key_read(path);
    if (!a->key)
        return tls_fault(f, ERR_BAD, path);
    path_of(folder, "ca", ".pem", path);
    a->certificate = certificate_read(path);
    if (!a->certificate || X509_check_private_key(a->certificate, a->key) != 1)
        return tls_fault(f, ERR_BAD, path);
    return OK;
}

enum err authority_open(struct authority **ret_authority, const char *folder, struct fault *f)
{
    char path[PATH_MOST];
    struct stat st;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", folder, strerror(errno));
    struct authority *a = calloc(1, sizeof *a);
    if (!a)
        return fault_set(f, ERR_NOMEM, "out of memory");
    path_of(folder, "ca", ".pem", path);
    bool there = stat(path, &st) == 0;
    enum err e = there ? authority_read(a, folder, f) : authority_make(a, folder, f);
    if (e) {
        authority_close(a);
        return e;
    }
    *ret_authority = a;
    return OK;
}

void authority_close(struct authority *a)
{
    if (!a)
        return;
    X509_free(a->certificate);
    EVP_PKEY_free(a->key);
    free(a);
}

static void fingerprint_of(X509 *c, char text[AUTHORITY_FINGERPRINT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    text[0] = 0;
    if (X509_digest(c, EVP_sha256(), digest, &len) != 1)
        return;
    for (unsigned i = 0; i < len && 2 * i + 2 < AUTHORITY_FINGERPRINT; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
}

void authority_fingerprint(const struct authority *a, char text[AUTHORITY_FINGERPRINT])
{
    fingerprint_of(a->certificate, text);
}

enum err certificate_fingerprint(
    const char *pem, char text[AUTHORITY_FINGERPRINT], struct fault *f)
{
    size_t len = strlen(pem);
    BIO *in = len < AUTHORITY_PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    X509 *c = in ? PEM_read_bio_X509(in, NULL, no_password, NULL) : NULL;
    BIO_free(in);
    if (!c)
        return tls_fault(f, ERR_BAD, "not a certificate");
    fingerprint_of(c, text);
    X509_free(c);
    return OK;
}

static bool time_get(const ASN1_TIME *t, int64_t *ret_us)
{
    struct tm tm = {0};
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *ret_us = (int64_t)timegm(&tm) * US_SECOND;
    return true;
}

enum err certificate_times(const char *path, int64_t *ret_begin, int64_t *ret_end)
{
    int64_t begin = 0, end = 0;
    X509 *c = certificate_read(path);
    bool good =
        c && time_get(X509_get0_notBefore(c), &begin) && time_get(X509_get0_notAfter(c), &end);
    X509_free(c);
    ERR_clear_error();
    if (!good)
        return ERR_NOTFOUND;
    *ret_begin = begin;
    *ret_end = end;
    return OK;
}

static enum err pem_put(X509 *c, struct buf *out)
{
    char *data;
    BIO *text = BIO_new(BIO_s_mem());
    enum err e = text && PEM_write_bio_X509(text, c) == 1 ? OK : ERR_NOMEM;
    if (!e) {
        long len = BIO_get_mem_data(text, &data);
        buf_put(out, data, (size_t)len);
        e = out->err;
    }
    BIO_free(text);
    return e;
}

enum err authority_pem(const struct authority *a, struct buf *out)
{
    return pem_put(a->certificate, out);
}

/* The key of a request that is signed with it and strong enough; NULL: it is not. */
static EVP_PKEY *request_key(const char *request)
{
    size_t len = strlen(request);
    BIO *in = len < AUTHORITY_PEM_MAX ? BIO_new_mem_buf(request, (int)len) : NULL;
    X509_REQ *r = in ? PEM_read_bio_X509_REQ(in, NULL, no_password, NULL) : NULL;
    EVP_PKEY *key = r ? X509_REQ_get_pubkey(r) : NULL;
    bool good = key && X509_REQ_verify(r, key) == 1 && EVP_PKEY_get_security_bits(key) >= 112;
    X509_REQ_free(r);
    BIO_free(in);
    if (good)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

enum err authority_sign(const struct authority *a, const char *request,
    const struct authority_grant *grant, struct buf *ret_pem, char ret_serial[AUTHORITY_SERIAL],
    struct fault *f)
{
    EVP_PKEY *key = request_key(request);
    if (!key) {
        ERR_clear_error();
        return fault_set(f, ERR_BAD,
            "not a request for a certificate (PKCS #10, PEM) with a signature that holds and a "
            "key of 112 bits of security");
    }
    X509 *c = issue(a, key, grant, ret_serial);
    EVP_PKEY_free(key);
    if (!c)
        return tls_fault(f, ERR_IO, "no certificate");
    enum err e = pem_put(c, ret_pem);
    X509_free(c);
    return e ? fault_set(f, e, "%s", err_text(e)) : OK;
}

/* ---- the hub's own ---- */

/* Is the certificate good for long enough, of this authority, and for these hosts? */
static bool own_serves(
    const struct authority *a, const char *path, const struct authority_grant *g)
{
    X509 *c = certificate_read(path);
    time_t then = (time_t)((g->now + own_left) / US_SECOND);
    bool good =
        c && X509_cmp_time(X509_get0_notAfter(c), &then) > 0 && X509_verify(c, a->key) == 1;
    for (size_t i = 0; good && i < g->host_count; i++)
        good = is_address(g->hosts[i]) ? X509_check_ip_asc(c, g->hosts[i], 0) == 1
                                       : X509_check_host(c, g->hosts[i], 0, 0, NULL) == 1;
    X509_free(c);
    ERR_clear_error();
    return good;
}

enum err authority_own(const struct authority *a, const char *folder, const char *file,
    const struct authority_grant *grant, struct fault *f)
{
    char path[PATH_MOST], serial[AUTHORITY_SERIAL];
    path_of(folder, file, ".pem", path);
    if (own_serves(a, path, grant))
        return OK;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *c = key ? issue(a, key, grant, serial) : NULL;
    enum err e = c ? OK : tls_fault(f, ERR_IO, path);
    path_of(folder, file, ".key", path);
    if (!e)
        e = key_write(path, key, f);
    path_of(folder, file, ".pem", path);
    if (!e)
        e = certificate_write(path, c, f);
    X509_free(c);
    EVP_PKEY_free(key);
    return e;
}

/* ---- the site's side ---- */

static enum err bio_give(BIO *text, struct buf *out)
{
    char *data;
    long len = BIO_get_mem_data(text, &data);
    buf_put(out, data, (size_t)len);
    return out->err;
}

enum err request_make(
    const char *name, struct buf *ret_key, struct buf *ret_request, struct fault *f)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *r = X509_REQ_new();
    BIO *key_text = BIO_new(BIO_s_mem());
    BIO *request_text = BIO_new(BIO_s_mem());
    bool good = key && r && key_text && request_text && X509_REQ_set_pubkey(r, key) == 1 &&
                name_add(X509_REQ_get_subject_name(r), "CN", name) &&
                X509_REQ_sign(r, key, EVP_sha256()) > 0 &&
                PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                PEM_write_bio_X509_REQ(request_text, r) == 1;
    enum err e = good ? OK : tls_fault(f, ERR_IO, "no key");
    if (!e)
        e = bio_give(key_text, ret_key);
    if (!e)
        e = bio_give(request_text, ret_request);
    BIO_free(request_text);
    BIO_free(key_text);
    X509_REQ_free(r);
    EVP_PKEY_free(key);
    return e;
}

#include "cmd/site_proof.h"

#include "base/clock.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    SIGNATURE_MAX = 128
};

static X509 *certificate_of(const char *pem)
{
    BIO *text = BIO_new_mem_buf(pem, -1);
    X509 *c = text ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
    BIO_free(text);
    return c;
}

static EVP_PKEY *key_of(const char *pem)
{
    BIO *text = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, NULL, NULL) : NULL;
    BIO_free(text);
    return key;
}

enum err proof_make(
    const char *key_pem, const char *text, char ret_proof[PROOF_TEXT], struct fault *f)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    EVP_PKEY *key = key_of(key_pem);
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    bool good =
        key && sign && EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(sign, signature, &len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(sign);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (!good)
        return fault_set(f, ERR_BAD, "the site's key cannot sign");
    sodium_bin2base64(ret_proof, PROOF_TEXT, signature, len, sodium_base64_VARIANT_ORIGINAL);
    return OK;
}

static bool signed_by(X509 *c, const char *text, const char *proof)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t len = 0;
    if (sodium_base642bin(signature, sizeof signature, proof, strlen(proof), NULL, &len, NULL,
            sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    EVP_MD_CTX *check = EVP_MD_CTX_new();
    EVP_PKEY *key = X509_get0_pubkey(c);
    bool good =
        check && key && EVP_DigestVerifyInit(check, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(check, signature, len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(check);
    return good;
}

static bool issued_by(X509 *ca, X509 *c)
{
    EVP_PKEY *key = ca ? X509_get0_pubkey(ca) : NULL;
    return key && c && X509_verify(c, key) == 1;
}

static bool name_read(X509 *c, struct proof_holder *h)
{
    char name[64];
    int len =
        X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, name, sizeof name);
    if (len <= 0 || (size_t)len != strlen(name) || !bus_site_fits(name))
        return false;
    snprintf(h->site, sizeof h->site, "%.*s", BUS_SITE_MAX, name);
    return true;
}

static bool serial_read(X509 *c, struct proof_holder *h)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(c), NULL);
    char *hex = n ? BN_bn2hex(n) : NULL;
    bool fits = hex && strlen(hex) < sizeof h->serial;
    for (size_t i = 0; fits && i <= strlen(hex); i++)
        h->serial[i] = (char)tolower((unsigned char)hex[i]);
    OPENSSL_free(hex);
    BN_free(n);
    return fits;
}

static bool holder_read(X509 *c, struct proof_holder *h)
{
    struct tm end;
    if (!name_read(c, h) || !serial_read(c, h) ||
        ASN1_TIME_to_tm(X509_get0_notAfter(c), &end) != 1)
        return false;
    h->until = (int64_t)timegm(&end) * US_SECOND;
    return true;
}

enum err proof_check(const char *ca_pem, const char *certificate_pem, const char *text,
    const char *proof, struct proof_holder *ret_holder, struct fault *f)
{
    struct proof_holder h = {.until = 0};
    X509 *ca = certificate_of(ca_pem), *c = certificate_of(certificate_pem);
    bool good = issued_by(ca, c) && signed_by(c, text, proof) && holder_read(c, &h);
    X509_free(ca);
    X509_free(c);
    ERR_clear_error();
    if (!good)
        return fault_set(f, ERR_DENIED,
            "the certificate is not of this hub, or the request is not signed with its key");
    *ret_holder = h;
    return OK;
}

enum err certificate_fits(const char *ca_pem, const char *certificate_pem, const char *key_pem,
    int64_t *ret_until, struct fault *f)
{
    struct proof_holder h = {.until = 0};
    X509 *ca = certificate_of(ca_pem), *c = certificate_of(certificate_pem);
    EVP_PKEY *key = key_of(key_pem);
    bool good =
        issued_by(ca, c) && key && X509_check_private_key(c, key) == 1 && holder_read(c, &h);
    EVP_PKEY_free(key);
    X509_free(ca);
    X509_free(c);
    ERR_clear_error();
    if (!good)
        return fault_set(
            f, ERR_DENIED, "the certificate is not of the site's hub, or not for its key");
    *ret_until = h.until;
    return OK;
}

#include "cmd/site_post.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    ANSWER_MAX = 128 << 10
};

/* A host of a clear URL: nobody else reads on the way there. */
static bool host_is_loopback(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
           strcmp(host, "localhost") == 0;
}

/* A part of a URL; "" if it has none. It is curl's own reading, which is who goes there. */
static void part_get(CURLU *u, CURLUPart part, char text[SITE_URL_MAX])
{
    char *found = NULL;
    text[0] = 0;
    if (curl_url_get(u, part, &found, 0) == CURLUE_OK)
        snprintf(text, SITE_URL_MAX, "%s", found);
    curl_free(found);
}

static bool url_serves(CURLU *u)
{
    static const CURLUPart none[] = {
        CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT};
    char scheme[SITE_URL_MAX], host[SITE_URL_MAX], port[SITE_URL_MAX], extra[SITE_URL_MAX];
    part_get(u, CURLUPART_SCHEME, scheme);
    part_get(u, CURLUPART_HOST, host);
    part_get(u, CURLUPART_PORT, port);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        part_get(u, none[i], extra);
        if (extra[0])
            return false;
    }
    return strcmp(port, "0") != 0 &&
           (strcmp(scheme, "https") == 0 ||
               (strcmp(scheme, "http") == 0 && host_is_loopback(host)));
}

enum err site_url_read(
    const char *option, const char *text, char ret_url[SITE_URL_MAX], struct fault *f)
{
    size_t len = text ? strlen(text) : 0;
    CURLU *u = curl_url();
    bool fine = u && len && len < SITE_URL_MAX &&
                curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK && url_serves(u);
    curl_url_cleanup(u);
    if (!fine)
        return fault_set(
            f, ERR_BAD, "%s: give https://HOST:PORT (http is for loopback)", option);
    while (text[len - 1] == '/')
        len--;
    memcpy(ret_url, text, len);
    ret_url[len] = 0;
    return OK;
}

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct buf *answer = context;
    buf_put(answer, data, size * count);
    return answer->err ? 0 : size * count;
}

static void options_set(
    CURL *curl, const struct site_hub *hub, const char *url, struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    if (strncmp(url, "http://", 7) == 0)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (hub->ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, hub->ca);
}

static enum err status_tell(long status, const json_t *answer, struct fault *f)
{
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    enum err e = status == 409 ? ERR_BUSY : status < 500 ? ERR_DENIED : ERR_IO;
    return fault_set(
        f, e, "the hub answers %ld: %s", status, detail ? detail : "no reason given");
}

static enum err perform(
    CURL *curl, const char *url, struct buf *body, json_t **ret_answer, struct fault *f)
{
    long status = 0;
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return fault_set(f, ERR_IO,
            "%s: %s: one that no public authority signed is named with --hub-ca FILE at "
            "kizashi site enrol",
            url, detail[0] ? detail : curl_easy_strerror(code));
    if (code != CURLE_OK)
        return fault_set(f, ERR_IO, "%s: %s", url, curl_easy_strerror(code));
    json_t *answer = json_loadb(
        body->data ? (const char *)body->data : "", body->len, JSON_REJECT_DUPLICATES, NULL);
    if (status == 200 && answer) {
        *ret_answer = answer;
        return OK;
    }
    enum err e = status_tell(status, answer, f);
    json_decref(answer);
    return e;
}

enum err site_post(const struct site_hub *hub, const char *path, const json_t *document,
    json_t **ret_answer, struct fault *f)
{
    char url[512];
    struct buf text, body;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    snprintf(url, sizeof url, "%.400s%.100s", hub->url, path);
    buf_init(&text, ANSWER_MAX);
    buf_init(&body, ANSWER_MAX);
    json_write(&text, document);
    enum err e = curl && headers && !text.err ? OK : fault_set(f, ERR_NOMEM, "out of memory");
    if (!e) {
        options_set(curl, hub, url, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)text.data);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)text.len);
        e = perform(curl, url, &body, ret_answer, f);
    }
    buf_done(&text);
    buf_done(&body);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return e;
}

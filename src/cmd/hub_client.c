#include "cmd/hub_client.h"

#include "base/json.h"
#include "cmd/confirm.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PROBLEM_CAP = 64 << 10,
    ASK_CAP = 1 << 20,
    ANSWER_CAP = 64 << 20,
    WAITS_MOST = 30 /* s, in all, for a hub that has too much to do */
};

static bool address_path(const char *data, char path[4200])
{
    return snprintf(path, 4200, "%s/hub-address", data) < 4200;
}

enum err hub_address_write(const char *data, const struct hub_address *a, struct fault *f)
{
    char path[4200];
    if (!address_path(data, path))
        return fault_set(f, ERR_RANGE, "%.80s...: path too long", data);
    mode_t old = umask(077);
    FILE *file = fopen(path, "w");
    umask(old);
    if (!file)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    fprintf(file, "%s\n%s\n", a->url, a->token);
    return fclose(file) == 0 ? OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
}

void hub_address_remove(const char *data)
{
    char path[4200];
    if (address_path(data, path))
        unlink(path);
}

enum err hub_address_read(const char *data, struct hub_address *ret_address)
{
    char path[4200];
    struct hub_address a;
    FILE *file = address_path(data, path) ? fopen(path, "r") : NULL;
    if (!file)
        return ERR_NOTFOUND;
    bool whole = fgets(a.url, sizeof a.url, file) && fgets(a.token, sizeof a.token, file);
    fclose(file);
    if (!whole)
        return ERR_NOTFOUND;
    a.url[strcspn(a.url, "\n")] = 0;
    a.token[strcspn(a.token, "\n")] = 0;
    *ret_address = a;
    return OK;
}

struct answer {
    CURL *curl;
    enum err (*part)(void *context, const void *data, size_t len);
    void *context;
    struct buf problem;
    enum err err;
};

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct answer *a = context;
    long status = 0;
    curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 400)
        buf_put(&a->problem, data, size * count);
    else
        a->err = a->part(a->context, data, size * count);
    return a->err ? 0 : size * count;
}

static enum err problem_tell(const struct answer *a, long status, struct fault *f)
{
    json_error_t error;
    json_t *problem = json_loadb(
        a->problem.data ? (const char *)a->problem.data : "", a->problem.len, 0, &error);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    enum err e =
        fault_set(f, status < 500 ? ERR_BAD : ERR_IO, "the hub answers %ld: %s", status,
            detail  ? detail
            : title ? title
                    : "no reason given");
    json_decref(problem);
    return e;
}

/* A request under way: what curl needs until it is over. */
struct exchange {
    CURL *curl;
    struct curl_slist *headers;
    char url[4096];
    struct answer answer;
};

static void exchange_close(struct exchange *x)
{
    curl_slist_free_all(x->headers);
    curl_easy_cleanup(x->curl);
    buf_done(&x->answer.problem);
}

static void options_set(struct exchange *x)
{
    curl_easy_setopt(x->curl, CURLOPT_URL, x->url);
    curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers);
    curl_easy_setopt(x->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(x->curl, CURLOPT_CONNECTTIMEOUT, 5L);
    /* the address comes from our own file */
    curl_easy_setopt(x->curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(x->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, &x->answer);
}

static enum err exchange_open(struct exchange *x, const struct hub_address *a, const char *path,
    bool json, struct fault *f)
{
    char bearer[192];
    char person[96] = "Kizashi-Person: ";
    if (snprintf(x->url, sizeof x->url, "%s/api/v1/%s", a->url, path) >= (int)sizeof x->url)
        return fault_set(f, ERR_RANGE, "the question is too long");
    snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", a->token);
    x->curl = curl_easy_init();
    x->headers = curl_slist_append(NULL, bearer);
    confirm_person(person + strlen(person));
    struct curl_slist *more = x->headers ? curl_slist_append(x->headers, person) : NULL;
    if (json && more)
        more = curl_slist_append(x->headers, "Content-Type: application/json");
    if (!x->curl || !more) {
        curl_easy_cleanup(x->curl);
        curl_slist_free_all(x->headers);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    x->headers = more;
    x->answer.curl = x->curl;
    buf_init(&x->answer.problem, PROBLEM_CAP);
    options_set(x);
    return OK;
}

/* A hub that is asked more often than it allows says how long to wait; scripts ask often. False
 * if that is no answer of this kind, or has been waited for long enough. */
static bool waits(struct exchange *x, long status, long *waited)
{
    curl_off_t wait = 0;
    if (status != 429 || curl_easy_getinfo(x->curl, CURLINFO_RETRY_AFTER, &wait) != CURLE_OK ||
        wait < 1 || wait > WAITS_MOST - *waited)
        return false;
    *waited += (long)wait;
    x->answer.problem.len = 0;
    return sleep((unsigned)wait) == 0; /* a signal ends it */
}

static enum err exchange_run(
    struct exchange *x, const struct hub_address *a, long *ret_status, struct fault *f)
{
    CURLcode code;
    long waited = 0;
    do {
        code = curl_easy_perform(x->curl);
        *ret_status = 0;
        curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, ret_status);
    } while (code == CURLE_OK && waits(x, *ret_status, &waited));
    if (x->answer.err)
        return x->answer.err;
    if (code == CURLE_COULDNT_CONNECT)
        return fault_set(f, ERR_IO, "%s: nobody answers; does the hub run?", a->url);
    if (code != CURLE_OK)
        return fault_set(f, ERR_IO, "%s: %s", a->url, curl_easy_strerror(code));
    return *ret_status >= 400 ? problem_tell(&x->answer, *ret_status, f) : OK;
}

enum err hub_get(const struct hub_address *a, const char *path,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f)
{
    struct exchange x = {.answer = {.part = part, .context = context}};
    long status;
    enum err e = exchange_open(&x, a, path, false, f);
    if (e)
        return e;
    e = exchange_run(&x, a, &status, f);
    exchange_close(&x);
    return e;
}

static enum err keep_part(void *context, const void *data, size_t len)
{
    struct buf *body = context;
    buf_put(body, data, len);
    return body->err;
}

static enum err answer_read(const struct buf *body, json_t **ret_answer, struct fault *f)
{
    json_error_t error;
    json_t *answer =
        body->len ? json_loadb((const char *)body->data, body->len, 0, &error) : json_null();
    if (!answer)
        return fault_set(f, ERR_BAD, "the hub answers what is not JSON: %s", error.text);
    *ret_answer = answer;
    return OK;
}

enum err hub_ask(const struct hub_address *a, const char *method, const char *path,
    const json_t *body, json_t **ret_answer, struct fault *f)
{
    struct buf text, come;
    struct exchange x = {.answer = {.part = keep_part, .context = &come}};
    long status = 0;
    enum err e = exchange_open(&x, a, path, body != NULL, f);
    if (e)
        return e;
    buf_init(&text, ASK_CAP);
    buf_init(&come, ANSWER_CAP);
    if (body) {
        json_write(&text, body);
        curl_easy_setopt(x.curl, CURLOPT_POSTFIELDS, (const char *)text.data);
        curl_easy_setopt(x.curl, CURLOPT_POSTFIELDSIZE, (long)text.len);
    }
    curl_easy_setopt(x.curl, CURLOPT_CUSTOMREQUEST, method);
    e = text.err ? fault_set(f, text.err, "the question is too long")
                 : exchange_run(&x, a, &status, f);
    if (status == 404)
        e = ERR_NOTFOUND;
    else if (status == 409)
        e = ERR_EXISTS;
    if (!e)
        e = answer_read(&come, ret_answer, f);
    exchange_close(&x);
    buf_done(&text);
    buf_done(&come);
    return e;
}

enum err hub_running(const char *data, struct hub_address *ret_address, struct fault *f)
{
    enum err e = hub_address_read(data, ret_address);
    return e ? fault_set(f, ERR_NOTFOUND,
                   "no hub runs on the data folder %s: start one with kizashi hub --data %s",
                   data, data)
             : OK;
}

static size_t keep_data(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_put(body, data, size * count);
    return body->err ? 0 : size * count;
}

/* What /healthz answers: {"status": "ok" or "failing", "reasons": [...]}. */
static bool is_health(const struct buf *body)
{
    json_error_t error;
    json_t *answer =
        json_loadb(body->data ? (const char *)body->data : "", body->len, 0, &error);
    bool is = json_is_string(json_object_get(answer, "status")) &&
              json_is_array(json_object_get(answer, "reasons"));
    json_decref(answer);
    return is;
}

bool hub_is_at(const char *listen)
{
    static const char *const schemes[] = {"http", "https"};
    bool found = false;
    for (size_t i = 0; i < 2 && !found; i++) {
        char url[160];
        struct buf body;
        CURL *curl = curl_easy_init();
        if (!curl || snprintf(url, sizeof url, "%s://%s/healthz", schemes[i], listen) >=
                         (int)sizeof url) {
            curl_easy_cleanup(curl);
            return false;
        }
        buf_init(&body, PROBLEM_CAP);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 1L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L); /* nothing secret is said */
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_data);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
        found = curl_easy_perform(curl) == CURLE_OK && is_health(&body);
        curl_easy_cleanup(curl);
        buf_done(&body);
    }
    return found;
}

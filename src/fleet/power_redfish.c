#include "base/buf.h"
#include "base/json.h"
#include "fleet/power_int.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

/* Redfish (DMTF DSP0266): the first system of the collection, its PowerState, and the action
 * ComputerSystem.Reset. */

enum {
    ANSWER_MAX = 1 << 20,
    URL_MAX = 512
};

struct redfish {
    const struct power_door *door;
    const char *password;
    char base[URL_MAX]; /* without the pin */
    const char *pin;    /* NULL: certified like any other server */
    struct fault *fault;
};

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_put(body, data, size * count);
    return body->err ? 0 : size * count;
}

static void options_set(CURL *curl, const struct redfish *r, const char *url, struct buf *body)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)POWER_WAIT_S);
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, r->door->user);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, r->password);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (!r->pin)
        return;
    /* The key is known; who certified it, or for what name, does not matter then. */
    curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, r->pin);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

static enum err status_tell(const struct redfish *r, long status)
{
    if (status == 401 || status == 403)
        return fault_set(r->fault, ERR_DENIED,
            "%s: refuses the user or the password (status %ld)", r->base, status);
    return fault_set(r->fault, ERR_BAD, "%s: answers with status %ld", r->base, status);
}

/* `post` NULL: GET. The answer's JSON is a new reference; NULL where there is none. */
static enum err exchange(
    const struct redfish *r, const char *path, const char *post, json_t **ret_answer)
{
    char url[URL_MAX * 2];
    struct buf body;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    snprintf(url, sizeof url, "%s%s", r->base, path);
    buf_init(&body, ANSWER_MAX);
    long status = 0;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl && headers) {
        options_set(curl, r, url, &body);
        if (post) {
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post);
            curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        }
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    enum err e = code != CURLE_OK
                     ? fault_set(r->fault, ERR_IO, "%s: %s", r->base, curl_easy_strerror(code))
                 : status >= 300 ? status_tell(r, status)
                                 : OK;
    if (!e)
        *ret_answer = body.len ? json_loadb((const char *)body.data, body.len, 0, NULL) : NULL;
    buf_done(&body);
    return e;
}

/* Path of the first system; the text belongs to the answer. */
static const char *system_path(const json_t *systems)
{
    const json_t *first = json_array_get(json_object_get(systems, "Members"), 0);
    const char *path = json_string_value(json_object_get(first, "@odata.id"));
    return path && path[0] == '/' && strlen(path) < URL_MAX / 2 ? path : NULL;
}

static enum err reset(const struct redfish *r, const json_t *system, enum power_action action)
{
    static const char *const types[POWER_ACTION_COUNT] = {
        [POWER_ON] = "On",
        [POWER_OFF] = "ForceOff",
        [POWER_SHUTDOWN] = "GracefulShutdown",
        [POWER_CYCLE] = "PowerCycle",
        [POWER_RESET] = "ForceRestart",
    };
    char post[64];
    json_t *ignored = NULL;
    const json_t *actions = json_object_get(system, "Actions");
    const json_t *row = json_object_get(actions, "#ComputerSystem.Reset");
    const char *target = json_string_value(json_object_get(row, "target"));
    if (!target || target[0] != '/' || strlen(target) >= URL_MAX / 2)
        return fault_set(r->fault, ERR_BAD, "%s: the system has no action Reset", r->base);
    snprintf(post, sizeof post, "{\"ResetType\":\"%s\"}", types[action]);
    enum err e = exchange(r, target, post, &ignored);
    json_decref(ignored);
    return e;
}

static enum err power_state(
    const struct redfish *r, const char *path, json_t **ret_system, bool *ret_on)
{
    json_t *system = NULL;
    enum err e = exchange(r, path, NULL, &system);
    const char *state = json_string_value(json_object_get(system, "PowerState"));
    if (!e && !state)
        e = fault_set(r->fault, ERR_BAD, "%s: does not tell the power's state", r->base);
    if (e) {
        json_decref(system);
        return e;
    }
    *ret_on = strcmp(state, "On") == 0 || strcmp(state, "PoweringOn") == 0;
    *ret_system = system;
    return OK;
}

enum err power_redfish(const struct power_door *door, const char *password,
    enum power_action action, bool *ret_on, struct fault *f)
{
    struct redfish r = {.door = door, .password = password, .fault = f};
    const char *hash = strchr(door->address, '#');
    size_t len = hash ? (size_t)(hash - door->address) : strlen(door->address);
    while (len && door->address[len - 1] == '/')
        len--;
    snprintf(r.base, sizeof r.base, "%.*s", (int)len, door->address);
    r.pin = hash ? hash + 1 : NULL;
    json_t *systems = NULL;
    json_t *system = NULL;
    enum err e = exchange(&r, "/redfish/v1/Systems", NULL, &systems);
    const char *path = e ? NULL : system_path(systems);
    if (!e && !path)
        e = fault_set(f, ERR_BAD, "%s: is no Redfish service with a system", r.base);
    if (!e)
        e = power_state(&r, path, &system, ret_on);
    if (!e && action != POWER_STATUS) {
        e = reset(&r, system, action);
        json_decref(system);
        system = NULL;
        if (!e)
            e = power_state(&r, path, &system, ret_on);
    }
    json_decref(system);
    json_decref(systems);
    return e;
}

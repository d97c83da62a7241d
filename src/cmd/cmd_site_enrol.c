#include "cmd/commands.h"

#include "base/clock.h"
#include "base/json.h"
#include "bus/authority.h"
#include "cmd/ending.h"
#include "cmd/site_identity.h"
#include "cmd/site_office.h"
#include "cmd/site_post.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A site's first step: a key of its own, and a certificate for it from the hub. */

static const struct conf_item items[] = {
    {.name = "data",
        .type = CONF_TEXT,
        .arg = "DIR",
        .initial = "kizashi-sensor",
        .text = "The site's folder, as kizashi sensor is told."},
    {.name = "hub", .type = CONF_TEXT, .arg = "URL", .text = "The hub, https://HOST:PORT."},
    {.name = "hub-ca",
        .type = CONF_FILE,
        .arg = "FILE",
        .text = "Whom to trust for the hub's HTTPS certificate (PEM); the system's list "
                "otherwise."},
    {.name = "token",
        .type = CONF_TEXT,
        .arg = "TOKEN",
        .text = "What kizashi site add printed; better in a file, where others on this machine "
                "do not see it."},
    {.name = "token-file",
        .type = CONF_FILE,
        .values = "-",
        .arg = "FILE",
        .text = "A file whose first line is the token; - is standard input."},
    {.name = NULL},
};

/* The first line of a file, without the space at its end. */
static enum err line_read(const char *path, char line[SITE_TOKEN + 2], struct fault *f)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!file)
        return fault_set(f, ERR_NOTFOUND, "%s: %s", path, strerror(errno));
    if (!fgets(line, SITE_TOKEN + 2, file))
        line[0] = 0;
    line[strcspn(line, " \t\r\n")] = 0;
    if (file != stdin)
        fclose(file);
    return OK;
}

static enum err token_find(const struct conf *conf, char ret_text[SITE_TOKEN],
    struct site_token *ret_token, struct fault *f)
{
    const char *given = conf_text(conf, "token");
    const char *path = conf_text(conf, "token-file");
    char line[SITE_TOKEN + 2] = "";
    struct fault why;
    if (!given == !path)
        return fault_set(f, ERR_BAD, "give --token-file FILE or --token TOKEN");
    enum err e = path ? line_read(path, line, f) : OK;
    if (e)
        return e;
    if (site_token_read(given ? given : line, ret_token, &why) != OK)
        return fault_set(f, ERR_BAD,
            "%s. Nothing was sent, and the invitation is still good; if the token is lost, "
            "kizashi site add makes another at the hub",
            why.text);
    snprintf(ret_text, SITE_TOKEN, "%s", given ? given : line);
    return OK;
}

/* The hub's papers, if they are from the hub that the token is of. */
static enum err papers_take(const json_t *answer, const struct site_token *token,
    struct site_identity *ret_identity, struct site_papers *ret_papers, struct fault *f)
{
    char have[AUTHORITY_FINGERPRINT];
    const json_t *servers = json_object_get(answer, "servers");
    const char *site = json_string_value(json_object_get(answer, "site"));
    ret_papers->ca = json_string_value(json_object_get(answer, "ca"));
    ret_papers->certificate = json_string_value(json_object_get(answer, "certificate"));
    if (!site || !bus_site_fits(site) || !ret_papers->ca || !ret_papers->certificate)
        return fault_set(f, ERR_BAD, "the hub's answer is not in order");
    enum err e = certificate_fingerprint(ret_papers->ca, have, f);
    if (!e && strcmp(token->fingerprint, have) != 0)
        e = fault_set(f, ERR_DENIED,
            "the answer is not from the hub that made the token: its authority is another. "
            "Somebody is between you and the hub, or --hub names the wrong one. The token may "
            "be used up: kizashi site add at the hub makes another");
    if (e)
        return e;
    const char *renew = json_string_value(json_object_get(answer, "renew"));
    if (renew && time_parse(renew, &ret_identity->renew) != OK)
        return fault_set(f, ERR_BAD, "the hub's answer is not in order");
    size_t count = json_array_size(servers);
    if (!count || count > BUS_SERVERS_MAX)
        return fault_set(
            f, ERR_BAD, "the hub names no message server: it has to run with --sites or --bus");
    snprintf(ret_identity->site, sizeof ret_identity->site, "%s", site);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(servers, i));
        snprintf(
            ret_identity->servers[i], sizeof ret_identity->servers[i], "%s", text ? text : "");
    }
    ret_identity->server_count = count;
    return OK;
}

/* A relative path means something else to whoever renews. */
static enum err ca_keep(const char *given, struct site_identity *id, struct fault *f)
{
    char *whole = given ? realpath(given, NULL) : NULL;
    bool fits = whole && strlen(whole) < sizeof id->hub_ca;
    if (fits)
        memcpy(id->hub_ca, whole, strlen(whole) + 1);
    free(whole);
    return !given || fits ? OK
                          : fault_set(f, ERR_NOTFOUND, "--hub-ca: there is no file %s", given);
}

/* The token and the request for a certificate go to the hub; its papers come back. */
static enum err ask(const struct site_hub *hub, const char *token, const char *request,
    json_t **ret_answer, struct fault *f)
{
    json_t *document = json_pack("{s:s, s:s}", "token", token, "request", request);
    enum err e = document ? site_post(hub, "/api/v1/enrol", document, ret_answer, f)
                          : fault_set(f, ERR_NOMEM, "out of memory");
    json_decref(document);
    return e;
}

static enum err enrol(const struct conf *conf, struct site_identity *id, struct fault *f)
{
    char text[SITE_TOKEN];
    struct site_token token;
    const struct site_hub hub = {id->hub, conf_text(conf, "hub-ca")};
    struct buf key, request;
    struct site_papers papers = {0};
    json_t *answer = NULL;
    buf_init(&key, AUTHORITY_PEM_MAX);
    buf_init(&request, AUTHORITY_PEM_MAX);
    enum err e = site_url_read("--hub", conf_text(conf, "hub"), id->hub, f);
    if (!e)
        e = token_find(conf, text, &token, f);
    if (!e)
        e = request_make("site", &key, &request, f);
    if (!e)
        e = ca_keep(conf_text(conf, "hub-ca"), id, f);
    bool there = access(conf_text(conf, "data"), F_OK) == 0;
    if (!e)
        e = site_identity_room(conf_text(conf, "data"), f);
    if (!e) {
        e = ask(&hub, text, (const char *)request.data, &answer, f);
        if (e && !there)
            rmdir(conf_text(conf, "data"));
    }
    if (!e)
        e = papers_take(answer, &token, id, &papers, f);
    if (!e) {
        papers.key = (const char *)key.data;
        e = site_identity_write(id, &papers, conf_text(conf, "data"), f);
    }
    json_decref(answer);
    buf_done(&key);
    buf_done(&request);
    return e;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct fault f = {0};
    struct site_identity id = {0};
    enum err e = enrol(conf, &id, &f);
    if (e)
        return ending("site enrol", e, &f);
    printf("This is site %s now. Its key and certificate are in %s; start kizashi sensor.\n",
        id.site, conf_text(conf, "data"));
    return EXIT_DONE;
}

const struct command cmd_site_enrol = {
    .name = "site enrol",
    .text = "Make this machine a site: get a certificate from the hub with a token.",
    .items = items,
    .run = run,
    .more =
        "The key is made here and never leaves. The token carries the fingerprint of the hub's "
        "certificate authority: an answer from anybody else is refused. A token that is "
        "mistyped "
        "is not sent, and stays good. Enrolling again, with "
        "a new token, replaces key and certificate.\n\n"
        "  kizashi site enrol --data /var/lib/kizashi-sensor --hub "
        "https://hub.example.org:8480 "
        "--token-file token\n",
};

#include "cmd/site_renew.h"

#include "base/chore.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/authority.h"
#include "cmd/site_post.h"
#include "cmd/site_proof.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t look_every = 10 * US_SECOND;
static const int64_t again_after = US_HOUR; /* a failure, or a hub for which it is too early */

bool site_renew_due(const struct site_identity *identity, int64_t now)
{
    return identity->certificate[0] && identity->renew && now >= identity->renew;
}

/* A PEM file's text; ERR_IO. */
static enum err text_read(const char *path, struct buf *out, struct fault *f)
{
    char part[4096];
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_set(f, ERR_IO, "%s: cannot be read", path);
    setvbuf(file, NULL, _IONBF, 0);
    for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;)
        buf_put(out, part, got);
    sodium_memzero(part, sizeof part);
    fclose(file);
    buf_u8(out, 0);
    return out->err ? fault_set(f, out->err, "%s: %s", path, err_text(out->err)) : OK;
}

struct renewing {
    struct buf ca, certificate, key; /* that the site has */
    struct buf next_key, next_request;
};

static void renewing_init(struct renewing *r)
{
    struct buf *all[] = {&r->ca, &r->certificate, &r->key, &r->next_key, &r->next_request};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_init(all[i], AUTHORITY_PEM_MAX);
}

static void renewing_done(struct renewing *r)
{
    struct buf *all[] = {&r->ca, &r->certificate, &r->key, &r->next_key, &r->next_request};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->data)
            sodium_memzero(all[i]->data, all[i]->len);
        buf_done(all[i]);
    }
}

static enum err ask(const struct site_identity *id, const struct renewing *r,
    json_t **ret_papers, struct fault *f)
{
    char proof[PROOF_TEXT];
    const char *request = (const char *)r->next_request.data;
    enum err e = proof_make((const char *)r->key.data, request, proof, f);
    json_t *document =
        e ? NULL
          : json_pack("{s:s, s:s, s:s}", "certificate", (const char *)r->certificate.data,
                "request", request, "proof", proof);
    const struct site_hub hub = {id->hub, id->hub_ca[0] ? id->hub_ca : NULL};
    if (!e)
        e = document ? site_post(&hub, "/api/v1/renew", document, ret_papers, f)
                     : fault_set(f, ERR_NOMEM, "out of memory");
    json_decref(document);
    return e;
}

/* Papers are taken only if they are of the authority that the site knows, and for its new key.
 */
static enum err papers_take(struct site_identity *id, const char *folder,
    const struct renewing *r, const json_t *papers, struct fault *f)
{
    int64_t until = 0;
    const char *certificate = json_string_value(json_object_get(papers, "certificate"));
    const char *renew = json_string_value(json_object_get(papers, "renew"));
    if (!certificate || !renew || time_parse(renew, &id->renew) != OK)
        return fault_set(f, ERR_DENIED, "the hub's answer is not in order");
    const struct site_papers p = {.ca = (const char *)r->ca.data,
        .certificate = certificate,
        .key = (const char *)r->next_key.data};
    enum err e = certificate_fits(p.ca, certificate, p.key, &until, f);
    return e ? e : site_identity_write(id, &p, folder, f);
}

enum err site_renew(struct site_identity *identity, const char *folder, struct fault *f)
{
    struct renewing r;
    json_t *papers = NULL;
    struct site_identity next = *identity;
    renewing_init(&r);
    enum err e = identity->hub[0] ? site_url_read("--hub", identity->hub, next.hub, f)
                                  : fault_set(f, ERR_DENIED, "site.json does not name the hub");
    if (!e)
        e = text_read(identity->ca, &r.ca, f);
    if (!e)
        e = text_read(identity->certificate, &r.certificate, f);
    if (!e)
        e = text_read(identity->key, &r.key, f);
    if (!e)
        e = request_make("site", &r.next_key, &r.next_request, f);
    if (!e)
        e = ask(&next, &r, &papers, f);
    if (!e)
        e = papers_take(&next, folder, &r, papers, f);
    if (!e)
        *identity = next;
    json_decref(papers);
    renewing_done(&r);
    return e;
}

/* ---- the thread ---- */

struct site_renewer {
    struct site_renewer_options options;
    struct site_identity identity;
    struct clock clock;
    struct chore *chore;
};

static int64_t look(void *context, const atomic_bool *stop)
{
    struct site_renewer *r = context;
    (void)stop;
    struct fault f = {0};
    char next[TIME_TEXT];
    if (!site_renew_due(&r->identity, clock_now(&r->clock)))
        return look_every;
    enum err e = site_renew(&r->identity, r->options.folder, &f);
    if (e) {
        log_event(LOG_WARN, "certificate.renewal",
            "error=\"%s\" action=\"trying again in an hour\"", f.text);
        return again_after;
    }
    log_event(LOG_NOTE, "certificate.renewed", "next=%s", time_format(r->identity.renew, next));
    r->options.renewed(r->options.context);
    return look_every;
}

enum err site_renewer_start(
    struct site_renewer **ret_renewer, const struct site_renewer_options *options)
{
    struct site_renewer *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->options = *options;
    r->identity = *options->identity;
    r->clock = clock_system();
    enum err e = chore_start(&r->chore, look, r, 0);
    if (e) {
        free(r);
        return e;
    }
    *ret_renewer = r;
    return OK;
}

void site_renewer_stop(struct site_renewer *r)
{
    if (!r)
        return;
    chore_stop(r->chore);
    free(r);
}

#include "cmd/hub_publish.h"

#include "store/catalog_published.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum err publication_file_read(
    const char *path, struct publication_policy *ret_policy, struct fault *f)
{
    json_error_t error;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        return fault_set(f, ERR_BAD, "%s: line %d: %s", path, error.line, error.text);
    enum err e = publication_read(ret_policy, document, f);
    if (e)
        fault_prefix(f, path);
    json_decref(document);
    return e;
}

enum err hub_publish_read(
    const struct conf *conf, struct api_publication *ret_publication, struct fault *f)
{
    const char *path = conf_text(conf, "publish");
    struct api_publication p = {.on = path != NULL,
        .to_all = conf_flag(conf, "publish-to-all"),
        .keep = conf_us(conf, "publish-keep")};
    if (!path && p.to_all)
        return fault_set(f, ERR_BAD, "--publish-to-all needs --publish");
    publication_default(&p.policy);
    enum err e = OK;
    if (path && strcmp(path, "default") != 0)
        e = publication_file_read(path, &p.policy, f);
    /* A row a site would name the sites to those from whom they are hidden. */
    if (!e && !p.policy.merge_sites)
        e = fault_set(
            f, ERR_BAD, "%s: merge_sites: must be true for what a hub publishes", path);
    if (!e)
        *ret_publication = p;
    return e;
}

/* "{...} to partners": what the audit log says. */
static enum err policy_text(
    const struct api_publication *p, char text[PUBLISHED_POLICY], struct fault *f)
{
    struct buf out;
    json_t *policy = publication_json(&p->policy);
    buf_init(&out, PUBLISHED_POLICY - 1);
    if (policy)
        json_write(&out, policy);
    buf_str(&out, p->to_all ? " to all" : " to partners");
    buf_u8(&out, 0);
    bool fits = policy && !out.err;
    if (fits)
        memcpy(text, out.data, out.len);
    json_decref(policy);
    buf_done(&out);
    return fits ? OK : fault_set(f, ERR_NOMEM, "out of memory");
}

enum err hub_publish_begin(
    struct catalog *c, int64_t now, struct api_publication *publication, struct fault *f)
{
    char text[PUBLISHED_POLICY];
    uint64_t fresh;
    if (!publication->on)
        return catalog_publication_off(c, now, f);
    if (sodium_init() < 0)
        return fault_set(f, ERR_IO, "no randomness");
    randombytes_buf(&fresh, sizeof fresh);
    enum err e = policy_text(publication, text, f);
    return e ? e : catalog_publication(c, text, now, fresh, &publication->secret, f);
}

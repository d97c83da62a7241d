#include "cmd/site_identity.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_of(const char *folder, const char *name, char path[4200])
{
    snprintf(path, 4200, "%s/%s", folder, name);
}

static enum err servers_take(const json_t *list, struct site_identity *id)
{
    size_t count = json_array_size(list);
    if (!count || count > BUS_SERVERS_MAX)
        return ERR_BAD;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || strlen(text) >= sizeof id->servers[i])
            return ERR_BAD;
        snprintf(id->servers[i], sizeof id->servers[i], "%s", text);
    }
    id->server_count = count;
    return OK;
}

static enum err document_take(const json_t *doc, struct site_identity *id)
{
    const char *site = json_string_value(json_object_get(doc, "site"));
    const char *hub = json_string_value(json_object_get(doc, "hub"));
    if (!site || !bus_site_fits(site))
        return ERR_BAD;
    snprintf(id->site, sizeof id->site, "%s", site);
    if (hub && strlen(hub) < sizeof id->hub)
        snprintf(id->hub, sizeof id->hub, "%s", hub);
    const char *ca = json_string_value(json_object_get(doc, "hub_ca"));
    const char *renew = json_string_value(json_object_get(doc, "renew"));
    if (ca && strlen(ca) < sizeof id->hub_ca)
        snprintf(id->hub_ca, sizeof id->hub_ca, "%s", ca);
    if (renew && time_parse(renew, &id->renew) != OK)
        return ERR_BAD;
    return servers_take(json_object_get(doc, "servers"), id);
}

/* Key and certificate belong together, and two files cannot be replaced at once: both are
 * written beside, the key first, then renamed, the key first. A certificate that waits
 * therefore belongs to the key that waits, or to the one that is there already. */
static void pair_finish(const char *folder)
{
    char key[4200], key_next[4200], certificate[4200], certificate_next[4200];
    path_of(folder, "key.pem", key);
    path_of(folder, "key.pem.next", key_next);
    path_of(folder, "certificate.pem", certificate);
    path_of(folder, "certificate.pem.next", certificate_next);
    if (access(certificate_next, F_OK) != 0) {
        unlink(key_next); /* nothing came of it */
        return;
    }
    if (access(key_next, F_OK) == 0 && rename(key_next, key) != 0)
        return;
    (void)!rename(certificate_next, certificate);
}

enum err site_identity_look(
    struct site_identity *ret_identity, const char *folder, struct fault *f)
{
    char path[4200];
    struct site_identity id = {0};
    path_of(folder, "site.json", path);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return fault_set(f, ERR_NOTFOUND, "%s: there is none", path);
    json_error_t where;
    json_t *doc = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!doc)
        return fault_set(f, ERR_BAD, "%s:%d: %s", path, where.line, where.text);
    enum err e = document_take(doc, &id);
    json_decref(doc);
    if (e)
        return fault_set(f, e, "%s: not what kizashi site enrol writes", path);
    path_of(folder, "ca.pem", id.ca);
    path_of(folder, "certificate.pem", id.certificate);
    path_of(folder, "key.pem", id.key);
    *ret_identity = id;
    return OK;
}

enum err site_identity_read(
    struct site_identity *ret_identity, const char *folder, struct fault *f)
{
    enum err e = site_identity_look(ret_identity, folder, f);
    if (!e)
        pair_finish(folder);
    return e;
}

/* Beside the old file, then in its place: nobody ever sees half of one. */
static enum err text_write(
    const char *folder, const char *name, const char *text, struct fault *f)
{
    char path[4200], fresh[4300];
    path_of(folder, name, path);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (good && rename(fresh, path) == 0)
        return OK;
    why = good ? errno : why;
    unlink(fresh);
    return fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
}

static enum err document_write(
    const struct site_identity *id, const char *folder, struct fault *f)
{
    struct buf text;
    json_t *servers = json_array();
    for (size_t i = 0; i < id->server_count; i++)
        json_array_append_new(servers, json_string(id->servers[i]));
    json_t *doc =
        json_pack("{s:s, s:s, s:o}", "site", id->site, "hub", id->hub, "servers", servers);
    if (!doc)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (id->hub_ca[0])
        json_object_set_new(doc, "hub_ca", json_string(id->hub_ca));
    if (id->renew)
        json_object_set_new(doc, "renew", json_time(id->renew));
    buf_init(&text, 1 << 16);
    json_write(&text, doc);
    buf_u8(&text, '\n');
    json_decref(doc);
    enum err e = text.err ? fault_set(f, text.err, "%s", err_text(text.err))
                          : text_write(folder, "site.json", (const char *)text.data, f);
    buf_done(&text);
    return e;
}

enum err site_identity_room(const char *folder, struct fault *f)
{
    if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || access(folder, W_OK | X_OK) != 0)
        return fault_set(f, ERR_IO, "%s: %s", folder, strerror(errno));
    return OK;
}

enum err site_identity_write(const struct site_identity *identity,
    const struct site_papers *papers, const char *folder, struct fault *f)
{
    enum err e = site_identity_room(folder, f);
    if (!e)
        e = text_write(folder, "ca.pem", papers->ca, f);
    if (!e)
        e = text_write(folder, "key.pem.next", papers->key, f);
    if (!e)
        e = text_write(folder, "certificate.pem.next", papers->certificate, f);
    if (!e)
        pair_finish(folder);
    return e ? e : document_write(identity, folder, f);
}

#include "anon/anon_int.h"
#include "anon/name.h"

#include <ctype.h>
#include <string.h>

/* scheme "://" [user "@"] host [":" port] rest, RFC 3986, section 3; or the rest by itself. */

enum {
    HASH_LETTERS = 16,
    SCHEME_MAX = 16,
    PORT_MAX_LETTERS = 6,
};

struct url {
    struct bytes scheme, host, port, rest;
};

static struct bytes upto(struct bytes *in, const char *stops)
{
    size_t len = 0;
    while (len < in->left && !strchr(stops, in->at[len]))
        len++;
    return bytes_take(in, len);
}

/* ":8080", or nothing. */
static bool port_good(struct bytes in)
{
    if (!in.left)
        return true;
    if (in.left > PORT_MAX_LETTERS || bytes_u8(&in) != ':')
        return false;
    while (in.left && isdigit(in.at[0]))
        bytes_skip(&in, 1);
    return !in.left;
}

/* Host and port of what stands between "//" and the path. */
static bool authority_split(struct bytes in, struct url *u)
{
    const uint8_t *at = memrchr(in.at, '@', in.left);
    if (at)
        bytes_skip(&in, (size_t)(at - in.at) + 1);
    if (in.left && in.at[0] == '[') {
        bytes_skip(&in, 1);
        u->host = upto(&in, "]");
        bytes_skip(&in, 1);
    } else {
        u->host = upto(&in, ":");
    }
    u->port = in;
    return !in.cut && u->host.left && u->host.left <= ANON_NAME_MAX && port_good(in);
}

static bool url_split(const char *text, struct url *u)
{
    struct bytes in = bytes_over(text, strlen(text));
    *u = (struct url){.rest = in};
    if (in.left > ANON_URL_MAX || !in.left)
        return false;
    if (in.at[0] == '/')
        return true;
    u->scheme = upto(&in, ":");
    if (!u->scheme.left || u->scheme.left > SCHEME_MAX || in.left < 3 ||
        memcmp(in.at, "://", 3) != 0)
        return false;
    for (size_t i = 0; i < u->scheme.left; i++)
        if (!isalnum(u->scheme.at[i]) && !strchr("+-.", u->scheme.at[i]))
            return false;
    bytes_skip(&in, 3);
    struct bytes authority = upto(&in, "/?#");
    u->rest = in;
    return authority_split(authority, u);
}

static void put(char *out, size_t *used, const void *data, size_t len)
{
    memcpy(out + *used, data, len);
    *used += len;
    out[*used] = '\0';
}

static void put_host(
    const struct epoch *e, enum anon_method dns, const struct url *u, char *out, size_t *used)
{
    char host[ANON_NAME_MAX + 1], mapped[ANON_NAME_ROOM];
    memcpy(host, u->host.at, u->host.left);
    host[u->host.left] = '\0';
    name_map(e, dns, host, mapped);
    bool six = strchr(mapped, ':');
    put(out, used, u->scheme.at, u->scheme.left);
    put(out, used, "://", 3);
    put(out, used, "[", six);
    put(out, used, mapped, strlen(mapped));
    put(out, used, "]", six);
    put(out, used, u->port.at, u->port.left);
}

static void put_rest(
    const struct epoch *e, enum anon_method method, struct bytes rest, char *out, size_t *used)
{
    if (method == ANON_DROP_QUERY) {
        struct bytes path = upto(&rest, "?#");
        put(out, used, path.at, path.left);
        return;
    }
    put(out, used, "/", 1);
    bool bare = !rest.left || (rest.left == 1 && rest.at[0] == '/');
    if (method != ANON_PATH_HASH || bare)
        return;
    char digits[HASH_LETTERS + 1];
    snprintf(digits, sizeof digits, "%016llx",
        (unsigned long long)epoch_number(e, ANON_URL, rest.at, rest.left));
    put(out, used, digits, HASH_LETTERS);
}

void url_map(const struct epoch *e, const struct anon_policy *policy, const char *url,
    char out[ANON_URL_ROOM])
{
    struct url u;
    size_t used = 0;
    enum anon_method method = policy->rule[ANON_URL].method;
    out[0] = '\0';
    if (method == ANON_DROP || !url_split(url, &u))
        return;
    if (method == ANON_KEEP) {
        put(out, &used, url, strlen(url));
        return;
    }
    if (u.scheme.left)
        put_host(e, policy->rule[ANON_DNS].method, &u, out, &used);
    put_rest(e, method, u.rest, out, &used);
}

enum err anon_url(
    struct anon *a, int64_t ts, const char *url, char ret_url[ANON_URL_ROOM], struct fault *f)
{
    const struct epoch *e;
    enum err err = anon_epoch(a, ts, &e, f);
    if (!err)
        url_map(e, &a->policy, url, ret_url);
    return err;
}

#include "bus/broker.h"

#include <inttypes.h>
#include <string.h>

enum {
    PAYLOAD_MOST = 8 << 20
};

/* A text between quotes. */
static bool fits_quotes(const char *text)
{
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
            return false;
    return true;
}

static void put_tls(const struct broker_options *o, bool map, struct buf *out)
{
    buf_printf(out, "  cert_file: \"%s/server.pem\"\n  key_file: \"%s/server.key\"\n",
        o->folder, o->folder);
    buf_printf(out, "  ca_file: \"%s/ca.pem\"\n  timeout: 5\n", o->folder);
    buf_str(out, map ? "  verify_and_map: true\n" : "  verify: true\n");
}

/* A site publishes under its own name, hears what is said to it, and reads its own document:
 * from the bucket by the one request that names the key, and as it is changed. */
static void put_site(const struct broker_user *u, struct buf *out)
{
    buf_printf(out, "  { user: \"%s\", permissions: {\n", u->dn);
    buf_printf(out,
        "      publish: { allow: [\"kz.%s.>\", "
        "\"$JS.API.DIRECT.GET.KV_kz_config.$KV.kz_config.%s\"] }\n",
        u->site, u->site);
    buf_printf(out,
        "      subscribe: { allow: [\"kzh.%s\", \"$KV.kz_config.%s\", \"_INBOX_%s.>\"] } } }\n",
        u->site, u->site, u->site);
}

static void put_cluster(const struct broker_options *o, struct buf *out)
{
    buf_printf(
        out, "cluster {\n  name: kizashi\n  listen: \"%s\"\n  tls {\n", o->cluster_listen);
    put_tls(o, false, out);
    buf_str(out, "  }\n  routes: [\n");
    for (size_t i = 0; i < o->route_count; i++)
        buf_printf(out, "    \"nats://%s\"\n", o->routes[i]);
    buf_str(out, "  ]\n}\n");
}

static enum err check(const struct broker_options *o, struct fault *f)
{
    const char *const texts[] = {o->folder, o->listen, o->name ? o->name : "",
        o->store ? o->store : "", o->hub_dn, o->cluster_listen ? o->cluster_listen : ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!fits_quotes(texts[i]))
            return fault_set(f, ERR_BAD, "%.100s: has no place in a configuration", texts[i]);
    for (size_t i = 0; i < o->route_count; i++)
        if (!fits_quotes(o->routes[i]))
            return fault_set(f, ERR_BAD, "%.100s: not HOST:PORT", o->routes[i]);
    for (size_t i = 0; i < o->user_count; i++)
        if (!bus_site_fits(o->users[i].site) || !fits_quotes(o->users[i].dn))
            return fault_set(f, ERR_BAD, "\"%.64s\" is no name for a site", o->users[i].site);
    return OK;
}

enum err broker_config(const struct broker_options *o, struct buf *out, struct fault *f)
{
    static const uint64_t store_bytes = UINT64_C(16) << 30;
    enum err e = check(o, f);
    if (e)
        return e;
    buf_str(out, "# Written by kizashi; changes are overwritten.\n");
    buf_printf(
        out, "listen: \"%s\"\nserver_name: \"%s\"\n", o->listen, o->name ? o->name : "hub");
    buf_printf(out, "max_payload: %d\nmax_pending: 268435456\nwrite_deadline: \"10s\"\n",
        PAYLOAD_MOST);
    buf_str(out, "jetstream {\n");
    if (o->store)
        buf_printf(out, "  store_dir: \"%s\"\n", o->store);
    else
        buf_printf(out, "  store_dir: \"%s/jetstream\"\n", o->folder);
    buf_printf(out, "  max_file_store: %" PRIu64 "\n  max_memory_store: 67108864\n}\n",
        o->store_bytes ? o->store_bytes : store_bytes);
    buf_str(out, "tls {\n");
    put_tls(o, true, out);
    buf_str(out, "}\n");
    if (o->cluster_listen)
        put_cluster(o, out);
    buf_str(out, "authorization { timeout: 5, users: [\n");
    buf_printf(out, "  { user: \"%s\" }\n", o->hub_dn);
    for (size_t i = 0; i < o->user_count; i++)
        put_site(&o->users[i], out);
    buf_str(out, "] }\n");
    return out->err ? fault_set(f, out->err, "%s", err_text(out->err)) : OK;
}

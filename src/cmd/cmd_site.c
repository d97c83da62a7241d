#include "cmd/commands.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/log.h"
#include "cmd/confirm.h"
#include "cmd/ending.h"
#include "cmd/hub_client.h"
#include "cmd/options.h"
#include "cmd/site_office.h"
#include "cmd/site_post.h"
#include "cmd/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* kizashi site add, certificates, revoke and bus-config: on the hub's machine, beside a running
 * hub or without one. What changes is in the catalogue, which the hub looks at every two
 * seconds. */

struct counter {
    struct catalog *catalog;
    struct site_office *office;
};

static void counter_close(struct counter *c)
{
    site_office_close(c->office);
    if (c->catalog)
        catalog_close(c->catalog);
}

/* The data folder's owner does this: files that root made there would stop the hub. */
static enum err owner_check(const char *data, struct fault *f)
{
    struct stat st;
    if (stat(data, &st) != 0)
        return fault_set(f, ERR_NOTFOUND,
            "%s: %s: is this the hub's data folder? Start the hub once, it makes it", data,
            strerror(errno));
    if (st.st_uid != geteuid() && geteuid() == 0) {
        if (setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0)
            return fault_set(f, ERR_IO, "cannot become the owner of %s", data);
    }
    return OK;
}

static enum err counter_open(struct counter *c, const struct conf *conf, struct fault *f)
{
    char path[4200];
    const char *data = conf_text(conf, "data");
    *c = (struct counter){0};
    enum err e = owner_check(data, f);
    snprintf(path, sizeof path, "%.4000s/catalog.sqlite", data);
    if (!e)
        e = catalog_open(&c->catalog, path, f);
    if (!e)
        e = site_office_open(&c->office, data, c->catalog, f);
    if (e)
        counter_close(c);
    return e;
}

static int finish(struct counter *c, const char *command, enum err e, const struct fault *f)
{
    counter_close(c);
    return ending(command, e, f);
}

static enum err note(
    struct counter *c, const char *what, const char *site, int64_t now, struct fault *f)
{
    struct catalog_audit a = {.time = now};
    confirm_person(a.who);
    snprintf(a.what, sizeof a.what, "%s", what);
    snprintf(a.subject, sizeof a.subject, "%s", site);
    return catalog_audit_add(c->catalog, &a, f);
}

static enum err one_name(size_t count, char **operands, struct fault *f)
{
    if (count != 1)
        return fault_set(f, ERR_BAD, "name one site");
    return bus_site_fits(operands[0])
               ? OK
               : fault_set(f, ERR_BAD,
                     "\"%.64s\" is no name for a site on the bus: 1 to %d of a-z, 0-9, - and _",
                     operands[0], BUS_SITE_MAX);
}

/* ---- add ---- */

static const struct conf_item add_items[] = {
    DATA_ITEM("The hub's data folder."),
    {.name = "addresses",
        .type = CONF_COUNT,
        .arg = "COUNT",
        .max = 4294967296.0,
        .initial = "0",
        .text = "Size of the site's telescope, in addresses; 0: not known."},
    {.name = "expires",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .initial = "24h",
        .min = 60,
        .max = 2592000,
        .text = "How long the token is good for."},
    {.name = "url",
        .type = CONF_TEXT,
        .arg = "URL",
        .max = 200,
        .text =
            "Where the site reaches the hub's API, https://HOST:PORT; goes into the command "
            "that is printed for it."},
    {.name = "quiet", .type = CONF_FLAG, .text = "Print the token only."},
    {.name = NULL},
};

/* Where the site is told to enrol without --url: by what the hub that runs says of itself. On
 * all addresses of the machine it has no name that we know, but in clear there it is of use to
 * this machine only. */
static void url_find(const struct conf *conf, char url[SITE_URL_MAX])
{
    struct hub_address hub;
    snprintf(url, SITE_URL_MAX, "https://HUB:8480");
    if (hub_address_read(conf_text(conf, "data"), &hub) != OK)
        return;
    bool clear = strncmp(hub.url, "http://", 7) == 0;
    const char *host = strstr(hub.url, "://");
    const char *port = strrchr(hub.url, ':');
    if (host && (strncmp(host, "://0.0.0.0:", 11) == 0 || strncmp(host, "://[::]:", 8) == 0))
        snprintf(url, SITE_URL_MAX, "%s%s", clear ? "http://127.0.0.1" : "https://HUB", port);
    else
        snprintf(url, SITE_URL_MAX, "%s", hub.url);
}

/* A site elsewhere sends its token over TLS only, and not to itself. */
static void reach_tell(const char *url)
{
    const char *host = strstr(url, "://");
    bool clear = strncmp(url, "http://", 7) == 0;
    host = host ? host + 3 : url;
    if (!clear && !ip_host_is_loopback(host, strcspn(host, ":")) &&
        strncmp(host, "[::1]", 5) != 0)
        return;
    printf("That is for a site on this machine: the hub's API is %s. For others start the hub\n"
           "with %s, or put a proxy with TLS before it, and name that with --url.\n\n",
        clear ? "in clear there" : "on loopback",
        clear ? "--tls-cert, --tls-key and --listen" : "--listen");
}

struct looked_for {
    const char *site;
    struct catalog_remote is; /* without a name: there is none */
};

static enum err take_named(void *context, const struct catalog_remote *r)
{
    struct looked_for *l = context;
    if (strcmp(r->name, l->site) == 0)
        l->is = *r;
    return OK;
}

/* An invitation of one that is a site already changes nothing until it is used. */
static void enrolled_tell(const struct catalog_remote *before)
{
    char since[TIME_TEXT];
    if (before->name[0] && before->enrolled && !before->revoked)
        printf("Site %s is enrolled since %s, and sends on as it does until it enrols with\n"
               "this token: then the certificate that it has counts no longer.\n\n",
            before->name, time_format(time_floor(before->enrolled, US_SECOND), since));
}

/* The token goes into a file: a command line is read by everybody on the machine, and kept. */
static void token_show(const struct conf *conf, const struct looked_for *before,
    const char *token, const char *url)
{
    char until[TIME_TEXT];
    const char *site = before->site;
    if (conf_flag(conf, "quiet")) {
        printf("%s\n", token);
        return;
    }
    enrolled_tell(&before->is);
    printf("Site %s may enrol once, within %s, with this token:\n\n  %s\n\n"
           "At the site put it into a file of that user alone (here: token), then:\n\n"
           "  kizashi site enrol --data /var/lib/kizashi-sensor --hub %s \\\n"
           "      --token-file token\n\n",
        site, duration_format(conf_us(conf, "expires"), until), token, url);
    reach_tell(url);
    if (strncmp(url, "https://", 8) == 0)
        printf(
            "Where no public authority signed the hub's certificate, give that to the site,\n"
            "too, and --hub-ca FILE with the command.\n\n");
    printf(
        "The token is shown now and never again; kizashi site add %s makes another.\n", site);
}

static int add_run(struct conf *conf, size_t count, char **operands)
{
    struct counter c = {0};
    struct fault f = {0};
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    char token[SITE_TOKEN], url[SITE_URL_MAX];
    struct catalog_remote r = {.added = now,
        .addresses = conf_count(conf, "addresses"),
        .token_expires = now + conf_us(conf, "expires")};
    struct looked_for before = {.site = r.name};
    enum err e = one_name(count, operands, &f);
    if (!e && conf_given(conf, "url"))
        e = site_url_read("--url", conf_text(conf, "url"), url, &f);
    else if (!e)
        url_find(conf, url);
    if (!e)
        e = counter_open(&c, conf, &f);
    if (!e) {
        snprintf(r.name, sizeof r.name, "%s", operands[0]);
        e = catalog_remotes(c.catalog, take_named, &before);
        if (e)
            fault_set(&f, e, "the catalogue cannot be read: %s", err_text(e));
    }
    if (!e) {
        e = site_office_invite(c.office, &r, token, &f);
    }
    if (!e)
        e = note(&c, "site.invite", r.name, now, &f);
    if (!e)
        token_show(conf, &before, token, url);
    return finish(&c, "site add", e, &f);
}

const struct command cmd_site_add = {
    .name = "site add",
    .text = "Invite a site: make a token with which it enrols once.",
    .operands = "NAME",
    .items = add_items,
    .run = add_run,
    .more = "Run it on the hub's machine. For a site that is there already it makes another "
            "token: with a new certificate the old one counts no longer.\n\n"
            "  kizashi site add jp-01 --data /var/lib/kizashi --addresses 2048 \\\n"
            "      --url https://hub.example.org:8480\n",
};

/* ---- certificates ---- */

static const struct conf_item list_items[] = {
    DATA_ITEM("The hub's data folder."),
    {.name = "json", .type = CONF_FLAG, .text = "All sites as one JSON array."},
    {.name = NULL},
};

static json_t *time_or_null(int64_t us)
{
    return us ? json_time(us) : json_null();
}

/* A token's time is no part of it once the site has its certificate. */
static const char *remote_state(const struct catalog_remote *r)
{
    struct clock wall = clock_system();
    if (r->revoked)
        return "revoked";
    if (r->enrolled)
        return "enrolled";
    return r->token_expires <= clock_now(&wall) ? "expired" : "invited";
}

static enum err row_add(void *context, const struct catalog_remote *r)
{
    json_t *rows = context;
    const char *state = remote_state(r);
    json_t *row = json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:s}", "site", r->name, "state",
        state, "addresses", (json_int_t)r->addresses, "enrolled", time_or_null(r->enrolled),
        "expires", time_or_null(r->expires), "token_until", time_or_null(r->token_expires),
        "serial", r->serial);
    return row && json_array_append_new(rows, row) == 0 ? OK : ERR_NOMEM;
}

static void rows_show(const json_t *rows, bool as_json)
{
    if (as_json)
        table_line(stdout, rows);
    else
        table_print(stdout, rows);
}

static int list_run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct counter c = {0};
    struct fault f = {0};
    json_t *rows = json_array();
    enum err e = counter_open(&c, conf, &f);
    if (!e) {
        e = catalog_remotes(c.catalog, row_add, rows);
        if (e)
            fault_set(&f, e, "the catalogue cannot be read: %s", err_text(e));
    }
    if (!e)
        rows_show(rows, conf_flag(conf, "json"));
    json_decref(rows);
    return finish(&c, "site certificates", e, &f);
}

const struct command cmd_site_certificates = {
    .name = "site certificates",
    .text = "List whose certificates and invitations count.",
    .items = list_items,
    .run = list_run,
    .more = "How the sites are doing tells kizashi site list.\n",
};

/* ---- revoke ---- */

static const struct conf_item revoke_items[] = {
    DATA_ITEM("The hub's data folder."), {.name = NULL}};

static int revoke_run(struct conf *conf, size_t count, char **operands)
{
    struct counter c = {0};
    struct fault f = {0};
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    enum err e = one_name(count, operands, &f);
    if (!e)
        e = counter_open(&c, conf, &f);
    if (!e)
        e = catalog_remote_revoke(c.catalog, operands[0], now, &f);
    if (!e)
        e = note(&c, "site.revoke", operands[0], now, &f);
    if (!e)
        printf("Site %s is revoked: a running hub cuts it off within seconds. What it sent "
               "stays.\n",
            operands[0]);
    return finish(&c, "site revoke", e, &f);
}

const struct command cmd_site_revoke = {
    .name = "site revoke",
    .text = "Withdraw a site's certificate and token.",
    .operands = "NAME",
    .items = revoke_items,
    .run = revoke_run,
    .more = "Where the message server is not started by the hub, give it the new configuration "
            "(kizashi site bus-config) and let it reload.\n",
};

/* ---- bus-config ---- */

static const struct conf_item config_items[] = {
    DATA_ITEM("The hub's data folder."),
    {.name = "listen",
        .type = CONF_TEXT,
        .arg = "ADDR:PORT",
        .initial = "0.0.0.0:4222",
        .text = "Where sites and the hub reach the server."},
    {.name = "host",
        .type = CONF_LIST,
        .arg = "NAME",
        .text = "Name or address under which it is reached: goes into its certificate."},
    {.name = "server",
        .type = CONF_TEXT,
        .arg = "NAME",
        .initial = "hub",
        .text = "Its name, unique in a cluster."},
    {.name = "cluster",
        .type = CONF_TEXT,
        .arg = "ADDR:PORT",
        .text = "Where the other servers of its cluster reach it."},
    {.name = "route",
        .type = CONF_LIST,
        .arg = "HOST:PORT",
        .text = "The cluster's address of another server."},
    {.name = "store",
        .type = CONF_TEXT,
        .arg = "DIR",
        .text = "Where JetStream keeps messages."},
    {.name = "store-cap",
        .type = CONF_COUNT,
        .arg = "GIB",
        .unit = "GiB",
        .initial = "16",
        .min = 1,
        .max = 65536,
        .text = "The most that they may take."},
    {.name = NULL},
};

static enum err config_options(
    const struct conf *conf, struct broker_options *ret_options, struct fault *f)
{
    const char *const *routes;
    size_t count = conf_list(conf, "route", &routes);
    struct broker_options b = {.listen = conf_text(conf, "listen"),
        .name = conf_text(conf, "server"),
        .store = conf_text(conf, "store"),
        .store_bytes = conf_count(conf, "store-cap") << 30,
        .cluster_listen = conf_text(conf, "cluster")};
    if (count > BROKER_ROUTES_MAX)
        return fault_set(f, ERR_RANGE, "--route: given more than %d times", BROKER_ROUTES_MAX);
    if (count && !b.cluster_listen)
        return fault_set(f, ERR_BAD, "--route is for a cluster: give --cluster, too");
    for (size_t i = 0; i < count; i++)
        b.routes[b.route_count++] = routes[i];
    *ret_options = b;
    return OK;
}

static int config_run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct counter c = {0};
    struct fault f = {0};
    struct broker_options b;
    struct buf text;
    const char *const *hosts;
    size_t host_count = conf_list(conf, "host", &hosts);
    buf_init(&text, 4 << 20);
    enum err e = config_options(conf, &b, &f);
    if (!e)
        e = counter_open(&c, conf, &f);
    if (!e)
        e = site_office_own(c.office, hosts, host_count, &f);
    if (!e)
        e = site_office_broker(c.office, &b, &text, &f);
    if (!e)
        fputs((const char *)text.data, stdout);
    buf_done(&text);
    return finish(&c, "site bus-config", e, &f);
}

const struct command cmd_site_bus_config = {
    .name = "site bus-config",
    .text = "Print the configuration of a message server that the hub does not start itself.",
    .items = config_items,
    .run = config_run,
    .more = "For nats-server on another machine, or for three of them as a cluster. The "
            "certificates that it names are in DIR/bus; server.pem is good for the names of "
            "--host. Print it anew after every site that is added or revoked, and let the "
            "server reload (nats-server --signal reload).\n\n"
            "  kizashi site bus-config --data /var/lib/kizashi --host bus.example.org > "
            "nats.conf\n",
};

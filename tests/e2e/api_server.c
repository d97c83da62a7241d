#include "fake.h"

#include "fleet/config.h"
#include "store/catalog_fleet.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The HTTP interface over a made-up store, for tests and load from outside. Prints its address
 * and answers until its standard input ends. Lines of input are commands: "flood N" publishes N
 * events of 16 KiB each, "alert ID" publishes an alert, "fail" and "mend" break the store. */

struct settings {
    struct api_options options;
    struct fake_store store;
};

/* The made-up store has two sites: where both saw a service, it may leave. */
static void publish(struct api_publication *p)
{
    *p = (struct api_publication){.on = true, .secret = 1, .keep = 36500 * US_DAY};
    publication_default(&p->policy);
    p->policy.least_sites = 2;
}

static void read_options(int argc, char **argv, struct settings *s)
{
    int c;
    while ((c = getopt(argc, argv, "l:c:k:r:n:a:p:H:x:P")) != -1) {
        if (c == 'l')
            s->options.listen = optarg;
        else if (c == 'c')
            s->options.tls_cert = optarg;
        else if (c == 'k')
            s->options.tls_key = optarg;
        else if (c == 'r')
            s->options.rate = (unsigned)atoi(optarg);
        else if (c == 'n')
            s->options.connections = (unsigned)atoi(optarg);
        else if (c == 'a')
            s->options.connections_per_address = (unsigned)atoi(optarg);
        else if (c == 'p')
            s->store.packets = (uint64_t)atoll(optarg);
        else if (c == 'H')
            s->options.hosts[s->options.host_count++] = optarg;
        else if (c == 'x')
            s->options.proxy = optarg;
        else if (c == 'P')
            publish(&s->options.publication);
        else
            exit(2);
    }
}

static void must(enum err e, const struct fault *f)
{
    if (!e)
        return;
    fprintf(stderr, "api_server: %s: %s\n", err_text(e), f ? f->text : "");
    exit(1);
}

/* jp-01 was heard long ago, kr-01 speaks now, br-01 has yet to speak. */
static struct fleet *fleet_make(struct catalog *c)
{
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    struct fault f = {0};
    struct fleet *fleet;
    must(fleet_open(&fleet, c, NULL, now - US_HOUR, &f), &f);
    for (int i = 0; i < 2; i++) {
        struct heartbeat h;
        heartbeat_init(&h);
        snprintf(h.site, sizeof h.site, "%s", i ? "kr-01" : "jp-01");
        h.sent = i ? now : now - US_HOUR;
        h.disk_free = 5;
        h.disk_size = 100;
        must(fleet_heartbeat(fleet, &h, h.sent, &f), &f);
    }
    must(fleet_expect(fleet, "br-01", now, &f), &f);
    must(fleet_look(fleet, now, &f), &f);
    struct site_document d;
    struct fleet_changed changed;
    document_default(&d);
    d.payload = 32;
    must(fleet_configure(fleet, &(struct fleet_change_wanted){"jp-01", &d, 0, "ann", "first"},
             now, &changed, &f),
        &f);
    return fleet;
}

/* A controller that does what it is asked, but for a cycle. */
static enum err switch_power(void *context, const struct power_door *door,
    enum power_action action, bool *ret_on, struct fault *f)
{
    (void)context;
    if (action == POWER_CYCLE)
        return fault_set(f, ERR_IO, "%s: nobody answers", door->address);
    *ret_on = action != POWER_OFF;
    return OK;
}

/* A file a password, in a folder of this run's. */
static enum err keep_password(void *context, const char *site, const char *password,
    char ret_path[CATALOG_SENTENCE], struct fault *f)
{
    const char *folder = context;
    static int number;
    snprintf(ret_path, CATALOG_SENTENCE, "%s/power-%s-%d", folder, site, ++number);
    int fd = open(ret_path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    bool good = fd >= 0 && dprintf(fd, "%s\n", password) > 0;
    if (fd >= 0)
        close(fd);
    return good ? OK : fault_set(f, ERR_IO, "%s", ret_path);
}

static void drop_password(void *context, const char *path)
{
    const char *folder = context;
    if (strncmp(path, folder, strlen(folder)) == 0)
        unlink(path);
}

static const struct need surge_needs[] = {{.field = NEED_DESTINATION_PORT,
                                              .relations = NEED_VALUE,
                                              .vital = true,
                                              .without = "ports are not told apart"},
    {.field = NEED_SOURCE, .relations = NEED_EQUAL, .without = "hosts are not counted"},
    {.without = NULL}};

static const struct api_analysis analyses[] = {
    {.name = "surge", .text = "Surges.", .usual = true, .needs = surge_needs},
    {.name = "sources", .text = "Tables of sources.", .view = true}};

static void flood(struct api *a, int count)
{
    char text[16384];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    json_t *data = json_pack("{s:s}", "text", text);
    for (int i = 0; i < count; i++)
        must(api_publish(a, "alert", data), NULL);
    json_decref(data);
}

static void obey(struct api *a, struct fake_store *store, const char *line)
{
    char id[64];
    int count;
    if (sscanf(line, "flood %d", &count) == 1)
        flood(a, count);
    else if (sscanf(line, "alert %63s", id) == 1)
        must(api_publish_alert(a, id), NULL);
    else if (strncmp(line, "fail", 4) == 0)
        store->fails = ERR_IO;
    else if (strncmp(line, "mend", 4) == 0)
        store->fails = OK;
    printf("done\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct settings s = {.options = {.listen = "127.0.0.1:0", .version = "test"}};
    struct fault f = {0};
    struct fingerprints *rules = NULL;
    struct api *a;
    char line[256];
    read_options(argc, argv, &s);
    char folder[64];
    struct catalog *catalog = fake_catalog(folder);
    must(api_user_add(catalog, "ann", "ann's long password", ROLE_ADMIN, US_SECOND, &f), &f);
    must(api_user_add(catalog, "vic", "vic's long password", ROLE_VIEWER, US_SECOND, &f), &f);
    fake_alerts(catalog);
    struct api_parts parts = {.store = fake_store_face(&s.store),
        .catalog = catalog,
        .live = fake_live(),
        .fleet = fleet_make(catalog),
        .power = {folder, switch_power, keep_password, drop_password},
        .analyses = analyses,
        .analysis_count = 2};
    must(fingerprints_new(&rules, &f), &f);
    parts.fingerprints = rules;
    const struct catalog_power way = {.site = "jp-01",
        .kind = "ipmi",
        .address = "192.0.2.7",
        .user = "ann",
        .secret = "/nowhere"};
    enum err started = api_start(&a, &s.options, &parts, &f);
    if (started)
        fake_catalog_done(catalog, folder);
    must(started, &f);
    must(catalog_power_put(catalog, &way, &f), &f);
    printf("%s\n", api_address(a));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        obey(a, &s.store, line);
    api_stop(a);
    fleet_close(parts.fleet, 0);
    fingerprints_free(rules);
    fake_catalog_done(catalog, folder);
    printf("stopped\n");
    return 0;
}

#include "cmd/hub_servers.h"

#include "base/clock.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

enum {
    LOGBOOK_LEAST = 32 /* MiB */
};

/* The server of a hub that was killed ends within five seconds. */
static const int64_t port_patience = 6 * US_SECOND;

bool servers_wanted(const struct conf *conf)
{
    const char *const *servers;
    return conf_text(conf, "sites") || conf_list(conf, "bus", &servers) > 0;
}

/* "0.0.0.0:4222" -> its port; NULL: there is none. */
static const char *port_of(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    return colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) ? colon + 1
                                                                                     : NULL;
}

/* The first server says for all: tls:// is with the hub's own certificate. */
static bool is_encrypted(const char *url)
{
    return strncmp(url, "tls://", 6) == 0;
}

enum err servers_check(const struct conf *conf, struct fault *f)
{
    const char *const *servers;
    const char *listen = conf_text(conf, "sites");
    size_t count = conf_list(conf, "bus", &servers);
    if (listen && count)
        return fault_set(f, ERR_BAD, "--sites and --bus exclude each other");
    uint64_t cap = conf_count(conf, "logbook-cap");
    if (cap && cap < LOGBOOK_LEAST)
        return fault_set(f, ERR_RANGE,
            "--logbook-cap: %llu MiB is less than the two files that it takes: at least %d, or "
            "0 "
            "for none",
            (unsigned long long)cap, LOGBOOK_LEAST);
    if (listen && !port_of(listen))
        return fault_set(
            f, ERR_BAD, "--sites: \"%.100s\" is not ADDR:PORT, such as 0.0.0.0:4222", listen);
    enum err e = bus_servers_check(servers, count, f);
    bool clear = count && !is_encrypted(servers[0]);
    return !e && clear ? bus_clear_check(servers, count, f) : e;
}

enum err servers_begin(
    const struct conf *conf, const char *data, struct broker **ret_broker, struct fault *f)
{
    char config[4200], log[4200];
    const char *user = conf_text(conf, "user");
    if (!conf_text(conf, "sites"))
        return OK;
    if (!user && getpwnam("kizashi"))
        user = "kizashi";
    enum err e = broker_listen_check(conf_text(conf, "sites"), port_patience, f);
    if (e) {
        fault_prefix(f, "--sites");
        return e;
    }
    snprintf(config, sizeof config, "%.4000s/bus/nats.conf", data);
    snprintf(log, sizeof log, "%.4000s/bus/nats.log", data);
    struct broker_run run = {
        .config = config, .log = log, .user = user && strcmp(user, "root") != 0 ? user : NULL};
    return broker_start(ret_broker, &run, f);
}

/* What sites are told: where the message server is. */
static enum err servers_tell(
    const struct conf *conf, struct site_office *office, struct fault *f)
{
    char texts[BUS_SERVERS_MAX][256];
    const char *list[BUS_SERVERS_MAX];
    const char *const *given;
    const char *listen = conf_text(conf, "sites");
    size_t count = conf_list(conf, listen ? "sites-host" : "bus", &given);
    if (!listen)
        return site_office_servers(office, given, count, f);
    size_t most = count < BUS_SERVERS_MAX ? count : BUS_SERVERS_MAX;
    for (size_t i = 0; i < most; i++)
        snprintf(texts[i], sizeof texts[i], "tls://%.200s:%s", given[i], port_of(listen));
    if (!most)
        snprintf(texts[most++], sizeof texts[0], "tls://%.240s", listen);
    for (size_t i = 0; i < most; i++)
        list[i] = texts[i];
    enum err e = site_office_servers(office, list, most, f);
    return e ? e : site_office_own(office, given, count, f);
}

enum err servers_office(const struct conf *conf, const char *data, struct catalog *catalog,
    struct site_office **ret_office, struct fault *f)
{
    struct site_office *office = NULL;
    if (!servers_wanted(conf))
        return OK;
    enum err e = site_office_open(&office, data, catalog, f);
    if (!e)
        e = servers_tell(conf, office, f);
    if (e)
        site_office_close(office);
    else
        *ret_office = office;
    return e;
}

void servers_way(
    const struct conf *conf, const struct site_office *office, struct servers_way *ret_way)
{
    const char *const *servers;
    const char *listen = conf_text(conf, "sites");
    struct servers_way *way = ret_way;
    size_t count = conf_list(conf, "bus", &servers);
    way->nats = (struct bus_nats_options){
        .server_count = count, .replicas = (unsigned)conf_count(conf, "bus-replicas")};
    for (size_t i = 0; i < count; i++)
        way->nats.servers[i] = servers[i];
    if (listen) {
        snprintf(way->url, sizeof way->url, "tls://127.0.0.1:%s", port_of(listen));
        way->nats.servers[way->nats.server_count++] = way->url;
    }
    if (!way->nats.server_count || !is_encrypted(way->nats.servers[0]))
        return;
    const char *folder = site_office_folder(office);
    snprintf(way->ca, sizeof way->ca, "%s/ca.pem", folder);
    snprintf(way->certificate, sizeof way->certificate, "%s/hub.pem", folder);
    snprintf(way->key, sizeof way->key, "%s/hub.key", folder);
    way->nats.ca = way->ca;
    way->nats.certificate = way->certificate;
    way->nats.key = way->key;
}

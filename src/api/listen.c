#include "api/api.h"
#include "api/server_int.h"

#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024
};

/* "127.0.0.1:8480", "[::1]:8480". */
static enum err parse(
    const char *listen, struct ip *ret_ip, uint16_t *ret_port, struct fault *f)
{
    static const char form[] = "ADDR:PORT or [ADDR]:PORT is wanted, such as 127.0.0.1:8480";
    char host[64];
    const char *colon = strrchr(listen, ':');
    size_t len = colon ? (size_t)(colon - listen) : 0;
    if (!len || len >= sizeof host)
        return fault_set(f, ERR_BAD, "%s: %s", listen, form);
    bool bracketed = listen[0] == '[' && colon[-1] == ']' && len > 2;
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len), listen + bracketed);
    struct ip ip;
    if (ip_parse(host, &ip) != OK || (!ip_is_v4(&ip) && !bracketed))
        return fault_set(f, ERR_BAD, "%s: \"%s\" is no address; %s", listen, host, form);
    char *end;
    errno = 0;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end || errno || port > 65535)
        return fault_set(f, ERR_BAD, "%s: the port must be 0 to 65535; %s", listen, form);
    *ret_ip = ip;
    *ret_port = (uint16_t)port;
    return OK;
}

static socklen_t fill(const struct ip *ip, uint16_t port, struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof *ss);
    if (ip_is_v4(ip)) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        in.sin_addr.s_addr = htonl(ip_v4(ip));
        memcpy(ss, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&in6.sin6_addr, ip->byte, sizeof ip->byte);
    memcpy(ss, &in6, sizeof in6);
    return sizeof in6;
}

static uint16_t bound_port(int s)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    if (getsockname(s, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    uint16_t port; /* at the same place in both families */
    memcpy(&port, (const char *)&ss + offsetof(struct sockaddr_in, sin_port), sizeof port);
    return ntohs(port);
}

static enum err bind_to(const char *listen_text, const struct ip *ip, uint16_t port,
    int *ret_socket, struct fault *f)
{
    struct sockaddr_storage ss;
    socklen_t len = fill(ip, port, &ss);
    int one = 1;
    int s = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return fault_set(f, ERR_IO, "%s: no socket: %s", listen_text, strerror(errno));
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(s, (const struct sockaddr *)&ss, len) == 0 && listen(s, BACKLOG) == 0) {
        *ret_socket = s;
        return OK;
    }
    int why = errno;
    close(s);
    if (why == EADDRINUSE)
        return fault_set(f, ERR_BUSY,
            "%s: another program listens there already; choose another with --listen",
            listen_text);
    return fault_set(f, ERR_IO, "%s: %s", listen_text, strerror(why));
}

enum err server_listen(const char *listen, int *ret_socket, char ret_address[96],
    bool *ret_loopback, struct fault *f)
{
    struct ip ip;
    uint16_t port = 0;
    char text[IP_TEXT];
    static const struct ip six = {.byte = {[15] = 1}};
    enum err e = parse(listen, &ip, &port, f);
    if (!e)
        e = bind_to(listen, &ip, port, ret_socket, f);
    if (e)
        return e;
    *ret_loopback = ip_same(&ip, &six) || (ip_is_v4(&ip) && ip.byte[12] == 127);
    snprintf(ret_address, 96, ip_is_v4(&ip) ? "%s:%u" : "[%s]:%u", ip_format(&ip, text),
        (unsigned)bound_port(*ret_socket));
    return OK;
}

enum err api_listen_check(const char *listen, struct fault *f)
{
    int s;
    char address[96];
    bool loopback;
    enum err e = server_listen(listen, &s, address, &loopback, f);
    if (!e)
        close(s);
    return e;
}

#ifndef FLEET_IMAGE_H
#define FLEET_IMAGE_H

#include "base/err.h"

#include <stdbool.h>

/* Network boot and reinstallation of a site's machine: a folder with everything that one needs
 * who stands in the site's network, generated from these rows. What the values may be made of
 * is checked, because they end up in shell and configuration texts.
 *
 * X(member, alphabet, most bytes, default or NULL: must be given, sentence) */
#define IMAGE_VALUES(X)                                                                        \
    X(site, IMAGE_NAME, 32, NULL, "Name of the site.")                                         \
    X(interface, IMAGE_NAME, 15, NULL,                                                         \
        "Interface of the serving machine in the network where the site's machine boots.")     \
    X(server, IMAGE_ADDRESS, 15, NULL, "IPv4 address of the serving machine there.")           \
    X(first, IMAGE_ADDRESS, 15, NULL, "First IPv4 address to give while installing.")          \
    X(last, IMAGE_ADDRESS, 15, NULL, "Last one.")                                              \
    X(gateway, IMAGE_ADDRESS, 15, NULL, "Router of that network.")                             \
    X(nameserver, IMAGE_ADDRESS, 15, NULL, "Name server for the installation.")                \
    X(mac, IMAGE_MAC, 17, NULL, "Ethernet address of the machine; no other is answered.")      \
    X(port, IMAGE_NUMBER, 5, "8069", "Port on which the serving machine gives files.")         \
    X(mirror, IMAGE_HOST, 200, NULL, "Debian mirror, a host that speaks HTTP.")                \
    X(disk, IMAGE_PATH, 64, "/dev/sda", "Disk to install on: everything on it is lost.")       \
    X(capture, IMAGE_NAME, 15, NULL, "Interface of the site's machine that captures.")         \
    X(filter, IMAGE_FILTER, 1000, "",                                                          \
        "Capture filter, what belongs to the telescope; without one all that arrives.")        \
    X(policy, IMAGE_PATH, 200, "",                                                             \
        "What leaves the site (kizashi site policy), copied into the folder; without one the " \
        "default policy.")                                                                     \
    X(hub, IMAGE_URL, 200, NULL, "The hub, https://HOST:PORT.")                                \
    X(hub_ca, IMAGE_PATH, 200, "",                                                             \
        "Whom to trust for the hub's HTTPS certificate (PEM), copied into the folder.")        \
    X(token, IMAGE_WORD, 200, "", "Enrolment token of the site, used up by the installation.") \
    X(ssh_key, IMAGE_KEY, 1000, "",                                                            \
        "Public key of who may sign in as operator; without one nobody can.")                  \
    X(package, IMAGE_PATH, 200, "",                                                            \
        "kizashi's Debian package, copied into the folder; without one it comes from the "     \
        "mirror.")                                                                             \
    X(boot, IMAGE_PATH, 200, "/usr/lib/ipxe", "Folder with undionly.kpxe and ipxe.efi.")       \
    X(installer, IMAGE_PATH, 200,                                                              \
        "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64",               \
        "Folder with the installer's linux and initrd.gz (Debian's "                           \
        "debian-installer-12-netboot-amd64).")

struct image_values {
#define X(member, alphabet, most, initial, text) const char *member;
    IMAGE_VALUES(X)
#undef X
};

enum image_alphabet {
    IMAGE_NAME,
    IMAGE_ADDRESS,
    IMAGE_MAC,
    IMAGE_NUMBER,
    IMAGE_HOST,
    IMAGE_PATH,
    IMAGE_FILTER,
    IMAGE_URL,
    IMAGE_WORD,
    IMAGE_KEY
};

/* Members that are NULL get their default. ERR_BAD: the fault names the member that is missing
 * or is made of something else than it may be. What is in the files is for the caller to look
 * at. */
enum err image_check(struct image_values *v, struct fault *f) MUST_CHECK;

/**
 * Make the folder, which must not be there (ERR_EXISTS), readable by its owner only: it holds
 * the token. What could be written before a failure stays, for looking at.
 */
enum err image_write(
    const struct image_values *checked, const char *folder, struct fault *f) MUST_CHECK;

#endif

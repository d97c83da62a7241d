#ifndef CMD_SERVICES_H
#define CMD_SERVICES_H

#include <stddef.h>

/* The services of kizashi that this machine is to run and does not: enabled (a link to one
 * stands in a .wants folder of /etc/systemd/system), and without the cgroup that systemd gives
 * to one that runs. Read from files that everybody may read, without asking systemd.
 *
 * `root` stands before every path: "" for this machine. In order of name, with commas between,
 * at most `len` - 1 letters: names that do not fit are left out. "" if there are none, or where
 * systemd does not run. */
void services_down(const char *root, char *ret_text, size_t len);

#endif

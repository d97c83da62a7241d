#ifndef ANON_KEYS_H
#define ANON_KEYS_H

#include "anon/policy.h"

/* The keys of one site: a secret for each epoch, drawn from the system when the epoch's first
 * packet comes, from which each field gets a key of its own. They are in one file of mode 0600
 * that only this site has; keys of epochs that are over are overwritten in it, so that nobody
 * can undo the mapping later. */
struct anon_keys;

enum {
    ANON_SECRET = 32,      /* bytes */
    ANON_EPOCHS_MAX = 4096 /* keys in one file */
};

/**
 * Open the file, or make it.
 *
 * @return OK; ERR_DENIED: others than its owner may read or write it; ERR_BUSY: another process
 * uses it; ERR_BAD: line so-and-so is none of ours; ERR_IO, ERR_NOMEM. The fault names the
 * file. The descriptor stays open and all that follows goes through it: a process may give up
 * its files afterwards (base/jail.h).
 */
enum err anon_keys_open(
    struct anon_keys **ret_keys, const char *path, struct fault *f) MUST_CHECK;

/* Keys that follow from one secret and are written nowhere: for tests, and for who wants the
 * same mapping again. */
enum err anon_keys_from(
    struct anon_keys **ret_keys, const uint8_t secret[ANON_SECRET]) MUST_CHECK;

void anon_keys_close(struct anon_keys *k);

/**
 * The secret of the epoch that holds a time, made and written (fdatasync) if it is new; then
 * the oldest beyond `old_epochs` are overwritten.
 *
 * @param epoch length in us; 0: the one epoch that never ends.
 */
enum err anon_keys_epoch(struct anon_keys *k, int64_t epoch, uint32_t old_epochs, int64_t start,
    uint8_t ret_secret[ANON_SECRET], struct fault *f) MUST_CHECK;

/* The newest epoch whose keys are in use: [*ret_start, *ret_end), both 0 where there is none,
 * or one that never ends. From any thread. */
void anon_keys_current(const struct anon_keys *k, int64_t *ret_start, int64_t *ret_end);

/* The site's own secret, which never changes: for what may not jump (time). */
void anon_keys_site(const struct anon_keys *k, uint8_t ret_secret[ANON_SECRET]);

#endif

#ifndef FLEET_FILTER_H
#define FLEET_FILTER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A capture filter, pcap-filter(7): checked word by word before libpcap sees it, because
 * libpcap would ask the network for the address of any host that is named in it, or mistyped.
 */
struct filter;

enum {
    FILTER_MAX = 4096 /* bytes of an expression, NUL included */
};

/**
 * Compile, for every link type that telescopes have. From any thread.
 *
 * @param text "" lets everything through.
 * @return OK; ERR_BAD: the fault says which word is wrong, or what libpcap said; ERR_NOMEM.
 */
enum err filter_new(struct filter **ret_filter, const char *text, struct fault *f) MUST_CHECK;
void filter_free(struct filter *filter);

/* Only the words: for an expression that libpcap compiles elsewhere, for an interface. ERR_BAD:
 * the fault, "filter: ...", says which word is wrong. */
enum err filter_words_check(const char *text, struct fault *f) MUST_CHECK;

/* 00:11:22:33:44:55 */
bool filter_is_ether(const char *text);

/* Does a frame of this link type (as struct frame has it) pass? Where the expression has no
 * meaning, none does. */
bool filter_passes(const struct filter *filter, uint32_t link, const uint8_t *data,
    uint32_t len, uint32_t wire_len);

#endif

#ifndef API_SERVER_INT_H
#define API_SERVER_INT_H

#include "base/buf.h"
#include "base/err.h"

#include <microhttpd.h>
#include <stdbool.h>

struct api;
struct request;

/* Bound and listening; *ret_address is "127.0.0.1:8480" with the port that it got. The fault
 * names what is wrong with the text, or who refuses. */
enum err server_listen(const char *listen, int *ret_socket, char ret_address[96],
    bool *ret_loopback, struct fault *f) MUST_CHECK;

/* Start and stop the network threads over a.listening. */
enum err server_start(struct api *a, int socket, struct fault *f) MUST_CHECK;
void server_stop(struct api *a);
/* True from the moment at which api_stop() began. */
bool server_stopping(const struct api *a);

/* What the workers run: answer a request and wake its connection. */
void server_answer(struct request *r);
/* Send r->reply, once; MHD's verdict. */
enum MHD_Result server_send(struct request *r);
/* Send a file of the portal, or what stands for it. */
enum MHD_Result server_send_file(struct request *r);

/* --- negotiation: pure, for tests ----------------------------------------------------------
 */

enum {
    ETAG_TEXT = 40
};

/* A strong tag of a body in one coding, with its quotes. */
void reply_etag(const struct buf *body, bool gzipped, char ret_tag[ETAG_TEXT]);
/* Does an If-None-Match header name this tag? */
bool reply_matches(const char *if_none_match, const char *tag);
/* Does an Accept-Encoding header take gzip? */
bool reply_takes_gzip(const char *accept_encoding);
/* Body in gzip; ERR_FULL if it would not be smaller. */
enum err reply_gzip(const struct buf *body, struct buf *out) MUST_CHECK;

#endif

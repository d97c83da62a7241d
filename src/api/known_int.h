#ifndef API_KNOWN_INT_H
#define API_KNOWN_INT_H

#include "api/request_int.h"

/* What a request narrows by must be there: an empty answer about a name that was mistyped says
 * that all is quiet. ERR_BAD: the reply holds the problem. Where the store cannot say which
 * names there are, all pass. */
enum err known_check(struct request *r) MUST_CHECK;

#endif

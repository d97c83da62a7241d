#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>

/* What a process of ours that was just forked does before its own work. */

/**
 * Live on as a helper of the parent: signals that end the parent do not end it (it ends when
 * the descriptor that it shares with the parent does), nothing else that the parent has open
 * stays open, and root becomes `user`.
 *
 * @param keep the one descriptor beside standard input, output and error that stays open.
 * @param user whom root turns into; NULL, or if it is not root: it keeps its user.
 * @return false: there is no such user, or the system refused; the process is to end.
 */
bool child_settle(int keep, const char *user);

/* End at once, without the exit handlers of the parent. */
_Noreturn void child_end(void);

#endif

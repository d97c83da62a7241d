#ifndef NUM_NMF_INT_H
#define NUM_NMF_INT_H

#include "num/nmf.h"

/* What nmf_fit() has made ready. */
struct nmf_task {
    struct nmf *f;
    const struct nmf_options *options;
    const struct matrix *v, *turned; /* turned: the transpose */
};

/* With f->iterations 0 and f->converged false. OK or ERR_NOMEM, as nmf_fit(). */
enum err nmf_fit_square(const struct nmf_task *t, struct arena *a) MUST_CHECK;
enum err nmf_fit_poisson(const struct nmf_task *t, struct arena *a) MUST_CHECK;

#endif

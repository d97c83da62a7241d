#include "num/nmf_int.h"

enum err nmf_fit(
    struct nmf *f, const struct matrix *v, const struct nmf_options *options, struct arena *a)
{
    if (!f->rank || f->rank > NMF_RANK_MAX || v->rows != f->rows || v->cols != f->cols ||
        !matrix_is_counts(v))
        return ERR_RANGE;
    struct matrix turned;
    enum err e = matrix_transpose(v, a, &turned);
    if (e)
        return e;
    f->iterations = 0;
    f->converged = false;
    const struct nmf_task task = {.f = f, .options = options, .v = v, .turned = &turned};
    return options->loss == NMF_SQUARE ? nmf_fit_square(&task, a) : nmf_fit_poisson(&task, a);
}

#include "num/edetector.h"

#include <math.h>

double evalue_from_p(double log_p)
{
    if (log_p > -1e-4) /* the limit at p = 1, where the formula loses its digits */
        return 0.5;
    double p = exp(fmax(log_p, -60.0));
    double value = (1.0 - p + p * fmax(log_p, -60.0)) / (p * log_p * log_p);
    return fmin(value, 1e12);
}

double edetector_step(double before, double evalue, double most)
{
    return fmin((1.0 + before) * evalue, most);
}

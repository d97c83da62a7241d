#ifndef NUM_EDETECTOR_H
#define NUM_EDETECTOR_H

/* Sequential detection of a change whose rate of false alarms is bounded whatever the data are
 * like, as long as its p-values are no smaller than they may be. */

/**
 * The e-value of a p-value, given as its natural logarithm (<= 0): a bet whose mean is at most
 * 1 under the null. The mixture (1 - p + p ln p) / (p ln^2 p) of all calibrators k p^(k-1).
 * Source: Vovk, Wang, "E-values: calibration, combination and applications", Annals of
 * Statistics 49(3), 2021. The result is at most 1e12.
 */
double evalue_from_p(double log_p);

/**
 * One step of a Shiryaev-Roberts e-detector: M <- (1 + M) e. Under the null its mean grows by 1
 * a step, so an alarm at M >= a comes after a or more steps in the mean. Source: Shin, Ramdas,
 * Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", NEJSDS
 * 2(2), 2024. M is held at `most`, which only lowers it.
 */
double edetector_step(double before, double evalue, double most);

#endif

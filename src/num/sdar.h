#ifndef NUM_SDAR_H
#define NUM_SDAR_H

/* A time series that is learned while it is forgotten, and the change score built on it. */

enum {
    SDAR_ORDER_MAX = 4,
    CHANGEFINDER_SMOOTH_MAX = 16
};

/**
 * Sequentially discounting autoregressive model: an AR(order) model whose every estimate
 * forgets with rate r. Source: Yamanishi, Takeuchi, "A unifying framework for detecting
 * outliers and change points from non-stationary time series data", KDD 2002.
 *
 *     mu  <- (1 - r) mu  + r x_t
 *     C_j <- (1 - r) C_j + r (x_t - mu) (x_{t-j} - mu),  j = 0..order
 *     a   solves the Yule-Walker equations  sum_i a_i C_|i-j| = C_j
 *     S   <- (1 - r) S   + r (x_t - x^_t)^2
 *
 * Begins with mu at the first value, all C at 0 and S at 1.
 */
struct sdar {
    unsigned order; /* 1..SDAR_ORDER_MAX */
    double forget;  /* r, in (0, 1) */
    double limit; /* of the absolute value of reflection coefficients; below 1 the model cannot
                     run away, whatever it learns; 100 from the start, as good as none */
    unsigned filled; /* values that there are of `past` */
    double mean;
    double covariance[SDAR_ORDER_MAX + 1];
    double variance;                /* S */
    double past[SDAR_ORDER_MAX];    /* newest first */
    double weights[SDAR_ORDER_MAX]; /* a; follows from the covariances */
};

void sdar_init(struct sdar *s, unsigned order, double forget);

/* Mean and variance of the next value, as far as the values before it tell. Before there are
 * `order` of them: the mean alone. */
double sdar_predict(const struct sdar *s, double *ret_variance);

/* Learn x (not NaN). Returns its logarithmic loss 1/2 (ln 2 pi S + (x - x^)^2 / S), both x^ and
 * S as they are after x was learned: as the published baseline does, which makes the loss of an
 * outlier smaller. */
double sdar_learn(struct sdar *s, double x);

/* `missed` values were not seen: what was expected of them stands for them. Returns by how much
 * larger the variance of the next value is for that, 1 or more. */
double sdar_skip(struct sdar *s, unsigned missed);

/* What follows from the rest: call it after filling the struct from a saved state. */
void sdar_refresh(struct sdar *s);

/**
 * ChangeFinder: the loss of an SDAR, averaged over `first` values, goes through another SDAR,
 * whose loss is averaged over `second` values. An outlier is smoothed away; a change stays.
 * Same source, section 3. The published baseline for telescopes has order 2, r = 0.005,
 * smoothing over 10 and 5, an alert above 3, and ignores the first 15 values.
 */
struct changefinder {
    struct sdar model, above;
    unsigned first, second; /* 1..CHANGEFINDER_SMOOTH_MAX */
    double losses[CHANGEFINDER_SMOOTH_MAX], changes[CHANGEFINDER_SMOOTH_MAX]; /* rings */
    unsigned count; /* values so far; stays below 2^30 */
};

enum {
    CHANGEFINDER_IGNORED = 15
};

/* As published. */
void changefinder_init(struct changefinder *c);

/* Score of x; NaN for the first CHANGEFINDER_IGNORED values. */
double changefinder_step(struct changefinder *c, double x);

#endif

# What R's glasso makes of 100 covariances: Rscript make_golden.R > golden.txt
# Needs r-cran-glasso (Debian). One case: "case P N PENALTY OBJECTIVE EDGES", then P lines of N numbers (the data, a row
# a variable; covariance with divisor N), then the upper triangle of the precision matrix with its diagonal, by row.
library(glasso)
set.seed(20261123)
for (k in 1:100) {
  p <- sample(2:12, 1)
  n <- sample(c(6, 12, 30, 60), 1)
  x <- matrix(rnorm(p * n), p, n)
  mix <- diag(p) + matrix(rnorm(p * p) * (runif(p * p) < 0.3), p, p) * 0.7
  x <- signif(mix %*% x, 6)
  x[, ] <- if (k %% 4 == 0) log(pmax(matrix(rpois(p * n, 1), p, n), 0.1)) else x
  x <- signif(x, 12)
  centred <- x - rowMeans(x)
  s <- centred %*% t(centred) / n
  rho <- signif(runif(1, 0.1, 0.7) * max(abs(s[upper.tri(s)])), 6)
  g <- glasso(s, rho, thr = 1e-12, maxit = 1e6)
  m <- (g$wi + t(g$wi)) / 2
  objective <- -as.numeric(determinant(m)$modulus) + sum(s * m) + rho * sum(abs(m))
  cat("case", p, n, rho, sprintf("%.12g", objective), sum(m[upper.tri(m)] != 0))
  cat("\n")
  for (i in 1:p) cat(paste(sprintf("%.12g", x[i, ]), collapse = " "), "\n", sep = "")
  for (i in 1:p) cat(paste(sprintf("%.10g", m[i, i:p]), collapse = " "), "\n", sep = "")
}

// The C interface of OpenBLAS, wherever the system keeps it.
#pragma once

#if __has_include(<cblas.h>)
#include <cblas.h>
#else
#include <openblas/cblas.h>
#endif

// OpenBLAS's own, declared here too because another library's cblas.h may come first on the path.
void openblas_set_num_threads(int num_threads);

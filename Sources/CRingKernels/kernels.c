#include "CRingKernels.h"

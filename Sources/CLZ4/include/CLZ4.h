// The block format's functions of liblz4.
#pragma once

#include <lz4.h>

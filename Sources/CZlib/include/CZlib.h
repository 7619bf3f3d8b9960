// The interface of zlib.
#pragma once

#include <zlib.h>

// All of the harness's statistics: pure functions on vectors, no clock, no file, no global state.
#pragma once

#include "harness/stats/binomial.h"
#include "harness/stats/change_point.h"
#include "harness/stats/hierarchy.h"
#include "harness/stats/interval.h"
#include "harness/stats/multiple.h"
#include "harness/stats/outliers.h"
#include "harness/stats/pooling.h"
#include "harness/stats/power.h"
#include "harness/stats/rank_tests.h"
#include "harness/stats/rng.h"
#include "harness/stats/special.h"
#include "harness/stats/student.h"
#include "harness/stats/summary.h"
#include "harness/stats/welch.h"

/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The timing model; docs/cycles.md describes it.
 */
#ifndef TIMING_H
#define TIMING_H

#include "instruction.h"

enum core { CORTEX_M0, CORTEX_M3, CORTEX_M4 };

/* Cycles of an instruction by itself, a jump left out. */
int own_cycles(enum core, const struct instruction *);

/* What it costs more or less because `before` is right before it. */
int after(enum core, const struct instruction *before, const struct instruction *);

/* What it costs more when it jumps. */
int jump(enum core, const struct instruction *);

/* An exception, or a jump that no instruction made. */
enum { EXCEPTION = 12 };

#endif

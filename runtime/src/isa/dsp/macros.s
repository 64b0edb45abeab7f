// What the other files of this folder share: functions, and slots for values that find no place in the core's registers:
// scratch registers of the floating-point unit, or words on the stack where there is none (`FPU` is 0).

.syntax unified
.thumb

.macro function name
    .section .text.\name, "ax", %progbits
    .global \name
    .type \name, %function
    .thumb_func
    .p2align 2
\name:
.endm

// Names a slot: a register, or an offset in the frame.
.macro slot name, number
.if FPU
    \name .req s\number
.else
    .equ \name, (4 * \number)
.endif
.endm

.macro keep slot, register
.if FPU
    vmov    \slot, \register
.else
    str     \register, [sp, #\slot]
.endif
.endm

.macro fetch register, slot
.if FPU
    vmov    \register, \slot
.else
    ldr     \register, [sp, #\slot]
.endif
.endm

// Room for \count slots, at most 18: on the stack, or in registers, of which callers may use the first 16.
.macro reserve_slots count
.if !FPU
    sub     sp, sp, #(4 * \count)
.elseif \count > 16
    vpush   {d8}
.endif
.endm

.macro release_slots count
.if !FPU
    add     sp, sp, #(4 * \count)
.elseif \count > 16
    vpop    {d8}
.endif
.endm

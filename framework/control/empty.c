/* SPDX-License-Identifier: MIT */
typedef int control_empty_t;

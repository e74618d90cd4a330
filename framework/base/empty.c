/* SPDX-License-Identifier: MIT */
typedef int base_empty_t;
